//! Fetching a key: from memory, else from the first server that gives it.
//!
//! ```text
//! ask the first server ─┬─ the key ─▶ done
//!                       ├─ no ─▶ ask the next
//!                       └─ nothing for HEDGE ─▶ ask the next too, and take whatever comes first
//! ```
//! A server that hangs is asked after all others, and whoever has no patience goes on without it.

use std::sync::Arc;
use std::time::Duration;

use keywrap::keys::{KeyId, MasterKey};

use super::answers::Answers;
use super::clock::Clock;
use super::copy;
use super::member::Member;
use super::questions::{State, unanswered};
use super::records::check;
use super::server::ServerError;
use super::{ExternalProvider, Members};
use crate::provider::{ErrorKind, ProviderError};

/// How long a server may take before the next one is asked too: longer than a working one takes, and short beside the
/// time in which volumes are to be open.
pub(super) const HEDGE: Duration = Duration::from_millis(300);
/// The longest wait between two looks, for those who wait without a limit.
const LOOK: Duration = Duration::from_secs(60);

impl ExternalProvider {
    /// The key, from wherever it can be had, however long the servers take.
    pub(super) fn fetch(&self, id: KeyId) -> Result<MasterKey, ProviderError> {
        self.fetch_within(id, Duration::MAX)
    }

    /// The same; but a server that has been asked something for `patience` without an answer is not waited for.
    pub(super) fn fetch_within(&self, id: KeyId, patience: Duration) -> Result<MasterKey, ProviderError> {
        if let Some(key) = self.cached(id) {
            return Ok(key);
        }
        let record = self.records.key(id).map_err(|error| self.record_failed(error))?;
        if record.as_ref().is_some_and(|record| record.destroyed) {
            let message = format!("master key {id} was destroyed on every server");
            let (kind, provider) = (ErrorKind::Absent, self.name.clone());
            return Err(ProviderError { kind, provider, key_id: Some(id), message, source: None });
        }
        let expected: Option<Arc<str>> = record.map(|record| record.check.into());
        let (mut left, mut asked) = (self.in_order().into_iter(), Members::new());
        let mut answers = Answers::default();
        loop {
            let rung = self.bell.count();
            if let Some(key) = self.collect(id, expected.as_ref(), &mut asked, &mut answers) {
                self.remember(id, &key);
                return Ok(key);
            }
            if asked.iter().all(|member| member.is_hung())
                && let Some(next) = left.next()
            {
                self.ask(&next, id, expected.as_ref());
                asked.push(next);
                continue;
            }
            let waited = asked.iter().filter_map(|member| member.waiting()).min();
            // Nobody waiting, while somebody was asked, is an answer that came this very moment: the bell rings for it.
            let is_over = asked.is_empty() || waited.is_some_and(|waited| waited >= patience);
            if left.len() == 0 && is_over {
                asked.iter().for_each(|member| answers.add(member.label(), silent(member)));
                return Err(answers.into_error(&self.name, Some(id), &format!("master key {id} cannot be had")));
            }
            let limit = if left.len() > 0 { HEDGE } else { patience };
            self.bell.wait(rung, limit.saturating_sub(waited.unwrap_or_default()).min(LOOK));
        }
    }

    /// Asks a server for the key, on a thread of its own.
    fn ask(&self, member: &Arc<Member>, id: KeyId, expected: Option<&Arc<str>>) {
        let (asked, clock, expected) = (Arc::clone(member), Arc::clone(&self.clock), expected.cloned());
        member.questions.ask(id, &self.bell, move || read(&asked, clock.as_ref(), id, expected.as_deref()));
    }

    /// The key, if a server has given it; those that gave none are not waited for any more.
    fn collect(
        &self,
        id: KeyId,
        expected: Option<&Arc<str>>,
        asked: &mut Members,
        answers: &mut Answers,
    ) -> Option<MasterKey> {
        let mut found = None;
        asked.retain(|member| match member.questions.take(id) {
            State::Open => true,
            State::Answered(Ok(key)) => {
                found = Some(key);
                false
            }
            State::Answered(Err(error)) => {
                answers.add(member.label(), error);
                false
            }
            // Somebody else who wanted the key has taken the answer.
            State::None => {
                found = found.take().or_else(|| self.cached(id));
                self.ask(member, id, expected);
                true
            }
        });
        found
    }

    /// The key, if it is in memory.
    pub(super) fn cached(&self, id: KeyId) -> Option<MasterKey> {
        self.expired_cache().0.get(id)
    }

    /// Keeps a key in memory.
    pub(super) fn remember(&self, id: KeyId, key: &MasterKey) {
        self.cache().put(id, key);
    }
}

/// The key from one server, if it is the right one. A server that lacks a key we know of gets it at the next
/// [`ExternalProvider::tend`].
pub(super) fn read(
    member: &Member,
    clock: &dyn Clock,
    id: KeyId,
    expected: Option<&str>,
) -> Result<MasterKey, ServerError> {
    let answer = member.ask(clock, |server| server.key(id));
    if expected.is_some() && answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Absent) {
        member.set_owed(true);
    }
    let key = answer?;
    let is_right = expected.is_none_or(|expected| check(id, &key) == expected);
    member.compared(id, is_right);
    if is_right { Ok(key) } else { Err(copy::wrong_bytes(id)) }
}

/// What is known of a server that is not waited for. The same words each time: they become a fault, which is written when
/// they change.
fn silent(member: &Member) -> ServerError {
    match member.health().failure {
        Some(failure) => ServerError { kind: failure.kind, ..unanswered(failure.message) },
        None => unanswered("it takes requests and has not answered yet"),
    }
}
