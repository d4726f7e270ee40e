//! One call on its way from parameters to a reply.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Method;
use crate::rpc::auth::Role;
use crate::rpc::codec::Reply;
use crate::rpc::control::{Control, Outcome};
use crate::rpc::error::{ApiError, ErrorName};
use crate::rpc::params;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Somebody who proved to be this user.
    User {
        /// The user name.
        name: String,
        /// What they may do.
        role: Role,
    },
    /// Somebody on this machine of whom the kernel tells who it is: an administrator.
    Local {
        /// For the audit log.
        name: String,
    },
    /// Anybody, before there is a cluster and with it an account.
    Anybody {
        /// Whether this one may create the cluster.
        may_create_cluster: bool,
    },
}

impl Caller {
    /// The user name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::User { name, .. } | Self::Local { name } => Some(name),
            Self::Anybody { .. } => None,
        }
    }

    /// The role, if there is one.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        match self {
            Self::User { role, .. } => Some(*role),
            Self::Local { .. } => Some(Role::Administrator),
            Self::Anybody { .. } => None,
        }
    }

    /// Whether this caller may call `method`.
    ///
    /// # Errors
    /// `xPermissionDenied`, or `xClusterDoesNotExist` before there is a cluster.
    pub fn check(&self, method: &Method) -> Result<(), ApiError> {
        match self {
            Self::Local { .. } => Ok(()),
            Self::User { role, .. } if *role >= method.role => Ok(()),
            Self::User { name, role } => Err(denied(method, &format!("user {name} is {}", role.as_str()))),
            Self::Anybody { .. } if method.needs_cluster => {
                Err(ApiError::new(ErrorName::ClusterDoesNotExist, "there is no cluster yet; call CreateCluster first"))
            }
            Self::Anybody { may_create_cluster } if *may_create_cluster || method.role == Role::ReadOnly => Ok(()),
            Self::Anybody { .. } => Err(denied(method, "the first call has to come from this machine")),
        }
    }
}

fn denied(method: &Method, why: &str) -> ApiError {
    ApiError::new(ErrorName::PermissionDenied, format!("{}: {why}", method.name))
}

/// A call of a method that exists by a caller who may call it.
pub struct Call<'a> {
    /// What stands behind the API.
    pub control: &'a dyn Control,
    /// Who calls.
    pub caller: &'a Caller,
    /// The parameters.
    pub params: &'a Map<String, Value>,
}

impl Call<'_> {
    /// Reads the parameters, runs `body` on them and makes its result a reply.
    pub(super) fn answer<P, R>(&self, body: impl FnOnce(&Self, P) -> Outcome<R>) -> Outcome<Reply>
    where
        P: DeserializeOwned,
        R: Serialize,
    {
        let result = body(self, params::read(self.params)?)?;
        let result = serde_json::to_value(result).map_err(|error| {
            ApiError::new(ErrorName::AssertionFailure, "the result has no JSON form").caused_by(error)
        })?;
        Ok(Reply { result, unused: params::unused::<P>(self.params) })
    }
}

/// A parameter, or several together, that the method cannot work with.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorName::InvalidParameter, message)
}

/// Refuses text that is empty or longer than `max` characters.
pub(super) fn check_length(name: &str, text: &str, max: usize) -> Outcome<()> {
    if (1..=max).contains(&text.chars().count()) {
        return Ok(());
    }
    Err(invalid(format!("parameter `{name}` has to have 1 to {max} characters")))
}

/// Refuses a list that is empty or longer than `max`.
pub(super) fn check_list<T>(name: &str, list: &[T], max: usize) -> Outcome<()> {
    match list.len() {
        0 => Err(invalid(format!("parameter `{name}` is empty"))),
        len if len > max => {
            Err(ApiError::new(ErrorName::ExceededLimit, format!("parameter `{name}` has {len} entries; at most {max}")))
        }
        _ => Ok(()),
    }
}
