//! One row of the table.

use super::Call;
use crate::rpc::auth::Role;
use crate::rpc::codec::Reply;
use crate::rpc::error::ApiError;
use crate::rpc::version::Version;

/// What a server serves: Element has the cluster on port 443 and the single node on 442.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// Methods of the cluster.
    Cluster,
    /// Methods of a node.
    Node,
    /// All methods. Public SDKs allow it on every other port.
    Any,
}

/// Where a method is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// On the cluster's port.
    Cluster,
    /// On a node's port.
    Node,
    /// On both.
    Both,
}

impl Scope {
    /// Whether a port of this kind has the method.
    #[must_use]
    pub fn is_on(self, port: Port) -> bool {
        match (self, port) {
            (Self::Both, _) | (_, Port::Any) => true,
            (Self::Cluster, Port::Cluster) | (Self::Node, Port::Node) => true,
            (Self::Cluster, Port::Node) | (Self::Node, Port::Cluster) => false,
        }
    }

    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "the cluster",
            Self::Node => "a node",
            Self::Both => "cluster and node",
        }
    }
}

/// A method of the API.
pub struct Method {
    /// Its name as documented; found in any case.
    pub name: &'static str,
    /// The first version that has it.
    pub since: Version,
    /// Where it is found.
    pub scope: Scope,
    /// The least role that may call it.
    pub role: Role,
    /// Whether it answers only once the cluster has been created.
    pub needs_cluster: bool,
    /// The names of its parameters.
    pub parameters: fn() -> &'static [&'static str],
    /// Runs it.
    pub run: fn(&Call<'_>) -> Result<Reply, ApiError>,
}

/// A row: name, version, scope, role, and what it does with its parameters.
macro_rules! method {
    ($name:literal, ($major:literal, $minor:literal), $scope:ident, $role:ident, $stage:ident,
     |$call:ident, $params:ident: $type:ty| $body:expr) => {
        $crate::rpc::methods::row::Method {
            name: $name,
            since: $crate::rpc::version::Version::new($major, $minor),
            scope: $crate::rpc::methods::row::Scope::$scope,
            role: $crate::rpc::auth::Role::$role,
            needs_cluster: $crate::rpc::methods::row::method!(@stage $stage),
            parameters: $crate::rpc::params::fields_of::<$type>,
            run: |call| call.answer(|$call: &$crate::rpc::methods::Call<'_>, $params: $type| $body),
        }
    };
    (@stage Always) => { false };
    (@stage Created) => { true };
}

pub(super) use method;
