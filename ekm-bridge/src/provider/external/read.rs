//! Fetching a key: from memory, else from the first server that has it.

use keywrap::keys::{KeyId, MasterKey};

use super::ExternalProvider;
use super::answers::Answers;
use super::copy;
use super::member::Member;
use super::records::check;
use super::server::ServerError;
use crate::provider::{ErrorKind, ProviderError};

impl ExternalProvider {
    /// The key, from wherever it can be had.
    pub(super) fn fetch(&self, id: KeyId) -> Result<MasterKey, ProviderError> {
        if let Some(key) = self.cached(id) {
            return Ok(key);
        }
        let record = self.records.key(id).map_err(|error| self.record_failed(error))?;
        let expected = record.map(|record| record.check);
        let mut answers = Answers::default();
        for member in &self.in_order() {
            match self.fetch_from(member, id, expected.as_deref()) {
                Ok(key) => {
                    self.remember(id, &key);
                    return Ok(key);
                }
                Err(error) => answers.add(member.label(), error),
            }
        }
        Err(answers.into_error(&self.name, Some(id), &format!("master key {id} cannot be had")))
    }

    /// The key from one server, if it is the right one. A server that lacks a key we know of gets it at the next
    /// [`ExternalProvider::tend`].
    pub(super) fn fetch_from(
        &self,
        member: &Member,
        id: KeyId,
        expected: Option<&str>,
    ) -> Result<MasterKey, ServerError> {
        let answer = member.ask(self.clock.as_ref(), |server| server.key(id));
        if expected.is_some() && answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Absent) {
            member.set_owed(true);
        }
        let key = answer?;
        let is_right = expected.is_none_or(|expected| check(id, &key) == expected);
        member.compared(id, is_right);
        if is_right { Ok(key) } else { Err(copy::wrong_bytes(id)) }
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
