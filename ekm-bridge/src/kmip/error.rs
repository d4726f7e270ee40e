//! Why a key manager gave no answer, or not the one hoped for.

use super::enums::{Operation, ResultStatus};
use super::fields::Malformed;
use super::message::Failure;

/// The kinds of failure a caller tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The server works, knows who asks, and has no such object.
    Absent,
    /// The server works and says no, or cannot do what is needed. Asking again will not help.
    Refused,
    /// There was no answer. The same request may succeed later, and has changed nothing that a repetition would spoil.
    Unreachable,
    /// One side does not accept the other's certificate, or the server does not accept the user's password.
    NotAuthenticated,
    /// An answer that cannot be understood, or answers that contradict each other.
    Malformed,
    /// A request that makes an object was sent, and its answer did not come: the object may exist. Search for it
    /// before asking again.
    ReplyLost,
    /// More than one object claims to be the key. A person has to decide.
    Ambiguous,
}

/// Anything that went wrong between this client and one server.
#[derive(Debug, thiserror::Error)]
#[error("key server {server}{}: {message}", operation.map(|operation| format!(", {operation}")).unwrap_or_default())]
pub struct KmipError {
    /// What to match on.
    pub kind: ErrorKind,
    /// The server, as it is configured.
    pub server: String,
    /// What was asked of it, unless it did not come to that.
    pub operation: Option<Operation>,
    /// What happened and what to do about it.
    pub message: String,
    /// The failure underneath. `message` already contains its text.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl KmipError {
    /// What the server said, if it was the server that refused.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.source.as_ref()?.downcast_ref()
    }

    /// Whether the server answered, and the answer was no.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.kind == ErrorKind::Refused && self.failure().is_some()
    }

    /// A server's refusal; `names_object` tells whether "not found" can be about the object that was asked for.
    pub(super) fn refused(server: &str, operation: Operation, names_object: bool, failure: Failure) -> Self {
        let (kind, advice) = judge(&failure, names_object);
        Self {
            kind,
            server: server.into(),
            operation: Some(operation),
            message: format!("{failure}{advice}"),
            source: Some(Box::new(failure)),
        }
    }

    pub(super) fn malformed(server: &str, operation: Operation, error: Malformed) -> Self {
        Self {
            kind: ErrorKind::Malformed,
            server: server.into(),
            operation: Some(operation),
            message: format!("the answer cannot be understood: {error}"),
            source: Some(Box::new(error)),
        }
    }

    pub(super) fn exchange(error: ExchangeError, server: &str, operation: Operation) -> Self {
        let ExchangeError { kind, message, source, .. } = error;
        Self { kind, server: server.into(), operation: Some(operation), message, source }
    }

    pub(super) fn ours(kind: ErrorKind, server: &str, operation: Operation, message: String) -> Self {
        Self { kind, server: server.into(), operation: Some(operation), message, source: None }
    }
}

/// The kind of a refusal, and what to tell people beside the server's own words.
fn judge(failure: &Failure, names_object: bool) -> (ErrorKind, &'static str) {
    if failure.status == ResultStatus::OPERATION_PENDING {
        return (
            ErrorKind::Refused,
            "; it wants to answer later, which this client does not do: switch that off there",
        );
    }
    if failure.says_not_authenticated() {
        let advice = "; the server does not accept this client: check that it knows the client certificate, that the \
                      certificate has the extended key usage clientAuth, and the user name and password if it wants them";
        return (ErrorKind::NotAuthenticated, advice);
    }
    if names_object && failure.says_absent() {
        return (ErrorKind::Absent, "");
    }
    (ErrorKind::Refused, "")
}

/// Why bytes did not go to the server and back.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ExchangeError {
    /// What to match on; never `Absent` or `Ambiguous`.
    pub kind: ErrorKind,
    /// Whether the server took the connection and then closed it without an answer, which some do when they do not
    /// like a message.
    pub was_cut: bool,
    /// What happened and what to do about it.
    pub message: String,
    /// The failure underneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}
