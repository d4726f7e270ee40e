//! Ending a key: on every server, or it is not done.

use keywrap::keys::KeyId;

use super::ExternalProvider;
use super::answers::Answers;
use super::clock::Clock;
use super::member::Member;
use super::server::{KeyServer, KeyState, ServerError};
use crate::provider::{ErrorKind, ProviderError};

impl ExternalProvider {
    /// Revokes the key on every server: some give it out no more from then on. The caller knows that nothing depends on
    /// it. A repeat is success.
    ///
    /// # Errors
    /// `Refused` for the current key; otherwise when any server did not do it: repeat it later.
    pub fn revoke(&self, id: KeyId) -> Result<(), ProviderError> {
        let _one_at_a_time = self.writing();
        self.retire(id)?;
        self.everywhere(id, "revoked", |server| server.revoke(id))
    }

    /// Destroys the key on every server and forgets it. It cannot be brought back, and neither can data that depends on
    /// it. It is revoked first. A repeat is success.
    ///
    /// # Errors
    /// `Refused` for the current key; otherwise when any server did not do it: repeat it later.
    pub fn destroy(&self, id: KeyId) -> Result<(), ProviderError> {
        let _one_at_a_time = self.writing();
        self.retire(id)?;
        self.everywhere(id, "revoked", |server| server.revoke(id))?;
        self.everywhere(id, "destroyed", |server| server.destroy(id))?;
        self.records.forget(id).map_err(|error| self.record_failed(error))
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

    fn everywhere(
        &self,
        id: KeyId,
        done: &str,
        request: impl Fn(&dyn KeyServer) -> Result<(), ServerError>,
    ) -> Result<(), ProviderError> {
        let mut answers = Answers::default();
        for member in &self.in_order() {
            match member.ask(self.clock.as_ref(), &request) {
                Err(error) if error.kind != ErrorKind::Absent => answers.add(member.label(), error),
                _ => {}
            }
        }
        if answers.is_empty() {
            return Ok(());
        }
        Err(answers.into_error(&self.name, Some(id), &format!("master key {id} is not {done} everywhere")))
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
        Some(KeyState::PreActive | KeyState::Revoked) => {}
    }
    member.ask(clock, |server| server.destroy(id))
}
