//! Ending a key: on every server, or it is not done.

use keywrap::keys::KeyId;

use super::ExternalProvider;
use super::answers::Answers;
use super::clock::Clock;
use super::member::{Member, each_at_once};
use super::read::read;
use super::server::{KeyServer, KeyState, ServerError};
use crate::provider::{EndAnswer, EndOutcome, ErrorKind, ProviderError};

impl ExternalProvider {
    /// Some servers give a revoked key out no more.
    pub(super) fn revoke_everywhere(&self, id: KeyId) -> Result<Vec<EndAnswer>, ProviderError> {
        let _one_at_a_time = self.writing();
        self.retire(id)?;
        Ok(self.everywhere(|server| server.revoke(id)))
    }

    /// On each server it is revoked first: an active key is not destroyed.
    pub(super) fn destroy_everywhere(&self, id: KeyId) -> Result<Vec<EndAnswer>, ProviderError> {
        let _one_at_a_time = self.writing();
        self.retire(id)?;
        let answers = self.everywhere(|server| server.revoke(id).and_then(|()| server.destroy(id)));
        if answers.iter().all(EndAnswer::is_settled) {
            self.records.bury(id).map_err(|error| self.record_failed(error))?;
        }
        Ok(answers)
    }

    /// Each server is asked for the key, and its bytes are compared.
    pub(super) fn ask_everywhere(&self, id: KeyId) -> Result<Vec<String>, ProviderError> {
        let record = self.records.key(id).map_err(|error| self.record_failed(error))?;
        let expected = record.map(|record| record.check);
        let (mut names, mut answers) = (Vec::new(), Answers::default());
        for member in &self.members() {
            match read(member, self.clock.as_ref(), id, expected.as_deref()) {
                Ok(_) => names.push(member.label()),
                Err(error) => answers.add(member.label(), error),
            }
        }
        if answers.is_empty() && expected.is_some() {
            return Ok(names);
        }
        Err(answers.into_error(&self.name, Some(id), &format!("not every key server gives out master key {id}")))
    }

    /// The state of the key on every server that answers; `None` where it is not known. Servers that did not answer last
    /// time, or are taking long now, are not waited for.
    #[must_use]
    pub fn states(&self, id: KeyId) -> Vec<(String, Option<KeyState>)> {
        let mut members = self.members();
        members.retain(|member| member.health().is_up() && !member.is_hung());
        let state = |member: &Member| member.ask(self.clock.as_ref(), |server| server.find(id)).ok();
        let states = each_at_once(&members, state);
        members.iter().zip(states).filter_map(|(member, state)| Some((member.label(), state?))).collect()
    }

    /// Whether keys may lie on servers that were never put to use: their making failed, and they are to be cleared away.
    ///
    /// # Errors
    /// When the store fails.
    pub fn has_leftovers(&self) -> Result<bool, ProviderError> {
        Ok(!self.records.intents().map_err(|error| self.record_failed(error))?.is_empty())
    }

    /// Clears what was destroyed from a server that has come back with a copy of it. What it refuses now it keeps; nobody
    /// asks it for such a key.
    pub(super) fn clear_destroyed(&self, member: &Member) -> Result<(), ProviderError> {
        let listed = member.ask(self.clock.as_ref(), |server| server.list()).unwrap_or_default();
        for key in listed.into_iter().filter(|key| key.state != KeyState::Destroyed) {
            let record = self.records.key(key.id).map_err(|error| self.record_failed(error))?;
            if record.is_some_and(|record| record.destroyed)
                && let Err(error) = clear(member, self.clock.as_ref(), key.id)
            {
                tracing::warn!(key = %key.id, "{} keeps a copy of a destroyed key: {error}", member.label());
            }
        }
        Ok(())
    }

    /// From here on the key is neither given to any server nor kept in memory.
    fn retire(&self, id: KeyId) -> Result<(), ProviderError> {
        if self.current_id()? == Some(id) {
            return Err(self.refused(id, format!("master key {id} is the current one; rekey first")));
        }
        self.records.retire(id).map_err(|error| self.record_failed(error))?;
        self.cache().forget(id);
        self.members().iter().for_each(|member| member.questions.forget(id));
        Ok(())
    }

    fn everywhere(&self, request: impl Fn(&dyn KeyServer) -> Result<(), ServerError>) -> Vec<EndAnswer> {
        let ask = |member: &Member| match member.ask(self.clock.as_ref(), &request) {
            Err(error) if error.kind != ErrorKind::Absent => EndOutcome::Failed(error.message),
            _ => EndOutcome::Done,
        };
        self.in_order().iter().map(|member| EndAnswer { place: member.label(), outcome: ask(member) }).collect()
    }

    fn refused(&self, id: KeyId, message: String) -> ProviderError {
        let (kind, provider) = (ErrorKind::Refused, self.name.clone());
        ProviderError { kind, provider, key_id: Some(id), message, source: None }
    }
}

/// Clears a key that was never used from one server. `Ok` means that it is certainly not there.
pub(super) fn clear(member: &Member, clock: &dyn Clock, id: KeyId) -> Result<(), ServerError> {
    match member.ask(clock, |server| server.find(id))? {
        None | Some(KeyState::Destroyed) => return Ok(()),
        Some(KeyState::Active) => member.ask(clock, |server| server.revoke(id))?,
        Some(KeyState::PreActive | KeyState::Revoked | KeyState::Compromised) => {}
    }
    member.ask(clock, |server| server.destroy(id))
}
