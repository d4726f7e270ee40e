//! Activating, revoking and destroying a key. A server that finds nothing to do may say so with an error; what counts
//! is the state that the key is in afterwards.

use super::MasterKeys;
use crate::kmip::attributes::AttributeName;
use crate::kmip::client::Exchange;
use crate::kmip::enums::{Operation, RevocationReasonCode, State};
use crate::kmip::error::{ErrorKind, KmipError};
use crate::kmip::id::UniqueId;
use crate::kmip::ops::{Activate, Destroy, GetAttributes, Revoke};
use crate::kmip::tag::Tag;

/// What a repeatable verb had to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was done now.
    Done,
    /// It was so before.
    WasSo,
}

/// States in which a key protects nothing new.
const REVOKED: [State; 4] = [State::DEACTIVATED, State::COMPROMISED, State::DESTROYED, State::DESTROYED_COMPROMISED];

const DESTROYED: [State; 2] = [State::DESTROYED, State::DESTROYED_COMPROMISED];

impl<E: Exchange> MasterKeys<E> {
    /// Where the key is in its life; `None` when the server does not say.
    ///
    /// # Errors
    /// Any kind but `Ambiguous` and `ReplyLost`.
    pub fn state(&mut self, id: &UniqueId) -> Result<Option<State>, KmipError> {
        let names = vec![AttributeName::Standard(Tag::STATE)];
        Ok(self.client.call(&GetAttributes { object: Some(id.clone()), names })?.state())
    }

    /// Activates the key and sees that it is Active.
    ///
    /// # Errors
    /// When it is not Active afterwards, or the server does not say so.
    pub fn activate(&mut self, id: &UniqueId) -> Result<Change, KmipError> {
        if self.state(id)? == Some(State::ACTIVE) {
            return Ok(Change::WasSo);
        }
        let outcome = self.client.call(&Activate { object: Some(id.clone()) });
        match self.state(id)? {
            Some(State::ACTIVE) => Ok(Change::Done),
            state => Err(outcome.err().unwrap_or_else(|| self.not_active(id, state))),
        }
    }

    /// Takes the key out of use because another has taken its place. Only once nothing is wrapped under it any more:
    /// some servers then do not give it out.
    ///
    /// # Errors
    /// When the key is in use afterwards.
    pub fn revoke(&mut self, id: &UniqueId) -> Result<Change, KmipError> {
        if self.is_in(id, &REVOKED)? {
            return Ok(Change::WasSo);
        }
        let reason = RevocationReasonCode::SUPERSEDED;
        let outcome = self.client.call(&Revoke { object: Some(id.clone()), reason, message: None, occurred: None });
        self.settle(id, outcome, &REVOKED)
    }

    /// Destroys the key material. There is no way back. The key must be revoked before.
    ///
    /// # Errors
    /// When the key is there afterwards.
    pub fn destroy(&mut self, id: &UniqueId) -> Result<Change, KmipError> {
        if self.is_in(id, &DESTROYED)? {
            return Ok(Change::WasSo);
        }
        let outcome = self.client.call(&Destroy { object: Some(id.clone()) });
        self.settle(id, outcome, &DESTROYED)
    }

    /// Whether the key is in one of these states, or gone, which is beyond all of them.
    fn is_in(&mut self, id: &UniqueId, states: &[State]) -> Result<bool, KmipError> {
        match self.state(id) {
            Ok(state) => Ok(state.is_some_and(|state| states.contains(&state))),
            Err(error) if error.kind == ErrorKind::Absent => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn settle(&mut self, id: &UniqueId, outcome: Result<(), KmipError>, states: &[State]) -> Result<Change, KmipError> {
        match outcome {
            Ok(()) => Ok(Change::Done),
            Err(error) if error.kind == ErrorKind::Absent => Ok(Change::WasSo),
            Err(error) if error.kind == ErrorKind::Refused && self.is_in(id, states)? => Ok(Change::WasSo),
            Err(error) => Err(error),
        }
    }

    fn not_active(&self, id: &UniqueId, state: Option<State>) -> KmipError {
        let state = state.map_or("in a state that the server does not tell".into(), |state| state.to_string());
        let message = format!("the key {id} was activated, and is {state}");
        self.error(ErrorKind::Refused, Operation::ACTIVATE, message)
    }
}
