//! Many servers' answers as one error.

use keywrap::keys::KeyId;

use super::server::ServerError;
use crate::provider::{ErrorKind, ProviderError};

/// What each server that was asked answered instead of helping.
#[derive(Default)]
pub(super) struct Answers(Vec<(String, ServerError)>);

impl Answers {
    pub(super) fn add(&mut self, server: String, error: ServerError) {
        self.0.push((server, error));
    }

    /// Whether any server gave an answer of this kind.
    pub(super) fn has(&self, kind: ErrorKind) -> bool {
        self.0.iter().any(|(_, error)| error.kind == kind)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The error for a caller. A key is absent only if there are servers and every one says so; otherwise the kind is
    /// the one that leaves most hope: a later try, another certificate, and only then a refusal.
    pub(super) fn kind(&self) -> ErrorKind {
        let is_absent = !self.0.is_empty() && self.0.iter().all(|(_, error)| error.kind == ErrorKind::Absent);
        match () {
            () if is_absent => ErrorKind::Absent,
            () if self.0.is_empty() || self.has(ErrorKind::Unreachable) => ErrorKind::Unreachable,
            () if self.has(ErrorKind::NotAuthenticated) => ErrorKind::NotAuthenticated,
            () => ErrorKind::Refused,
        }
    }

    /// The error, its message one clause for each server.
    pub(super) fn into_error(self, provider: &str, key_id: Option<KeyId>, failed: &str) -> ProviderError {
        let kind = self.kind();
        let mut clauses: Vec<String> = self.0.iter().map(|(server, error)| format!("{server}: {error}")).collect();
        // Whoever answers first differs from time to time, and the same failure should read the same.
        clauses.sort();
        let why = if clauses.is_empty() { "the provider has no key server".to_owned() } else { clauses.join("; ") };
        let source = self.0.into_iter().next_back().map(|(_, error)| error.into());
        ProviderError { kind, provider: provider.to_owned(), key_id, message: format!("{failed}: {why}"), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(kinds: &[ErrorKind]) -> ErrorKind {
        let mut answers = Answers::default();
        for &kind in kinds {
            answers.add("s".into(), ServerError { kind, message: String::new(), source: None });
        }
        answers.kind()
    }

    #[test]
    fn absent_is_final_only_if_every_server_says_so() {
        use ErrorKind::{Absent, NotAuthenticated, Refused, Unreachable};
        assert_eq!(kind(&[Absent, Absent]), Absent);
        assert_eq!(kind(&[]), Unreachable, "no server is not an answer");
        for other in [Refused, Unreachable, NotAuthenticated] {
            assert_eq!(kind(&[Absent, other]), other);
        }
        assert_eq!(kind(&[Refused, NotAuthenticated, Unreachable]), Unreachable);
        assert_eq!(kind(&[Refused, NotAuthenticated]), NotAuthenticated);
    }
}
