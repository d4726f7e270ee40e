//! How an operation ended, in the words of the server.

use std::fmt;

use crate::kmip::enums::{ResultReason, ResultStatus};

/// Why an operation was not carried out (KMIP 1.x, sections 6.9 to 6.11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Failed, pending or undone.
    pub status: ResultStatus,
    /// The reason, if one was given.
    pub reason: Option<ResultReason>,
    /// Words for people, if there were any.
    pub message: Option<String>,
}

/// The outcome of one operation.
pub type Outcome<T> = Result<T, Failure>;

/// Reasons that mean that the object is not there: Item Not Found, Object Destroyed, Object Not Found.
const ABSENT: [ResultReason; 3] =
    [ResultReason::ITEM_NOT_FOUND, ResultReason::OBJECT_DESTROYED, ResultReason::OBJECT_NOT_FOUND];

/// Reasons that mean that the server does not know or does not believe who asks.
const NOT_AUTHENTICATED: [ResultReason; 5] = [
    ResultReason::AUTHENTICATION_NOT_SUCCESSFUL,
    ResultReason::ATTESTATION_REQUIRED,
    ResultReason::ATTESTATION_FAILED,
    ResultReason::INVALID_TICKET,
    ResultReason::BAD_PASSWORD,
];

/// Reasons so general that the words beside them say more.
const VAGUE: [ResultReason; 4] = [
    ResultReason::GENERAL_FAILURE,
    ResultReason::INVALID_FIELD,
    ResultReason::INVALID_MESSAGE,
    ResultReason::INTERNAL_SERVER_ERROR,
];

impl Failure {
    /// Whether the server says that the object asked for does not exist.
    ///
    /// This may make a caller give up a volume for good. So a refusal of permission is never taken for it, whatever
    /// its words, and words count only where the reason says nothing.
    #[must_use]
    pub fn says_absent(&self) -> bool {
        match self.reason {
            Some(reason) if ABSENT.contains(&reason) => true,
            Some(reason) if reason.name().is_some() && !VAGUE.contains(&reason) => false,
            _ => self.mentions(&["object", "item", "key", "identifier", "uuid"]) && self.mentions(&NOT_THERE),
        }
    }

    /// Whether the server does not accept who asks.
    #[must_use]
    pub fn says_not_authenticated(&self) -> bool {
        match self.reason {
            Some(reason) if NOT_AUTHENTICATED.contains(&reason) => true,
            Some(ResultReason::PERMISSION_DENIED) | None => self.mentions(&["password", "credential", "authentic"]),
            Some(reason) => VAGUE.contains(&reason) && self.mentions(&["authentication failed", "not authenticated"]),
        }
    }

    /// Whether the server does not speak the version of the request.
    #[must_use]
    pub fn says_wrong_version(&self) -> bool {
        match self.reason {
            Some(ResultReason::UNSUPPORTED_PROTOCOL_VERSION) => true,
            Some(reason) if !VAGUE.contains(&reason) => false,
            _ => self.mentions(&["version"]),
        }
    }

    fn mentions(&self, any_of: &[&str]) -> bool {
        let message = self.message.as_deref().unwrap_or_default().to_lowercase();
        any_of.iter().any(|words| message.contains(words))
    }
}

/// How servers write that something does not exist.
const NOT_THERE: [&str; 7] =
    ["not found", "does not exist", "doesn't exist", "no such", "could not locate", "cannot find", "unable to find"];

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(reason) = self.reason {
            write!(f, ", {reason} ({})", reason.0)?;
        }
        match self.message.as_deref() {
            Some(message) if !message.is_empty() => write!(f, ": {message:?}"),
            _ => Ok(()),
        }
    }
}
