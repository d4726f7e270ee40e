//! Bringing a key to a server, and seeing that it arrived.

use keywrap::keys::{KeyId, MasterKey};
use subtle::ConstantTimeEq;

use super::clock::Clock;
use super::member::Member;
use super::server::{KeyState, ServerError};
use crate::provider::ErrorKind;

/// How often a request is sent whose reply is lost.
pub(super) const ATTEMPTS: usize = 3;

/// Makes a new key on one server and reads it back, twice: what is read first is what the others get, so it must be what
/// the maker has. A reply that is lost, or any other failure, is followed by a look
/// for the key, so that it is not made twice.
pub(super) fn create(member: &Member, clock: &dyn Clock, id: KeyId) -> Result<MasterKey, ServerError> {
    insist(member, clock, id, |member| member.ask(clock, |server| server.create(id)))?;
    activate(member, clock, id)?;
    let key = member.ask(clock, |server| server.key(id))?;
    read_and_compare(member, clock, id, &key)?;
    Ok(key)
}

/// Sees to it that `member` has this key: registers it if it is absent, and reads it back. A server that has other bytes
/// under this id is left as it is, and refused.
pub(super) fn ensure(member: &Member, clock: &dyn Clock, id: KeyId, key: &MasterKey) -> Result<(), ServerError> {
    match read_and_compare(member, clock, id, key) {
        Err(error) if error.kind == ErrorKind::Absent => {}
        Ok(()) => return wake(member, clock, id),
        Err(error) => return Err(error),
    }
    insist(member, clock, id, |member| member.ask(clock, |server| server.register(id, key)))?;
    activate(member, clock, id)?;
    read_and_compare(member, clock, id, key)
}

/// Sees a key active that is on the server: whoever brought it there may have been interrupted before.
pub(super) fn wake(member: &Member, clock: &dyn Clock, id: KeyId) -> Result<(), ServerError> {
    match member.ask(clock, |server| server.find(id))? {
        Some(KeyState::PreActive) => activate(member, clock, id),
        _ => Ok(()),
    }
}

/// Reads the key from `member`: is it this one?
fn read_and_compare(member: &Member, clock: &dyn Clock, id: KeyId, key: &MasterKey) -> Result<(), ServerError> {
    let found = member.ask(clock, |server| server.key(id))?;
    let is_right = is_same(&found, key);
    member.compared(id, is_right);
    if is_right { Ok(()) } else { Err(wrong_bytes(id)) }
}

/// Sends a request that makes an object named `id` until there is one.
fn insist(
    member: &Member,
    clock: &dyn Clock,
    id: KeyId,
    request: impl Fn(&Member) -> Result<(), ServerError>,
) -> Result<(), ServerError> {
    for attempt in 1.. {
        let Err(error) = request(member) else { break };
        match member.ask(clock, |server| server.find(id)) {
            Ok(Some(_)) => break,
            Ok(None) if error.kind == ErrorKind::Unreachable && attempt < ATTEMPTS => {}
            Ok(None) | Err(_) => return Err(error),
        }
    }
    Ok(())
}

/// Sees the key active.
fn activate(member: &Member, clock: &dyn Clock, id: KeyId) -> Result<(), ServerError> {
    let mut lost = None;
    for _ in 0..ATTEMPTS {
        match member.ask(clock, |server| server.find(id)) {
            Ok(Some(KeyState::Active)) => return Ok(()),
            Ok(Some(KeyState::PreActive)) => {}
            Ok(Some(state)) => return Err(refused(format!("key {id} is {state:?} on it, not active"))),
            Ok(None) => return Err(refused(format!("key {id}, which it has just taken, is not found on it"))),
            Err(error) => return Err(error),
        }
        lost = member.ask(clock, |server| server.activate(id)).err();
        if lost.as_ref().is_some_and(|error| error.kind != ErrorKind::Unreachable) {
            break;
        }
    }
    Err(lost.unwrap_or_else(|| refused(format!("key {id} does not become active on it"))))
}

pub(super) fn is_same(a: &MasterKey, b: &MasterKey) -> bool {
    a.0.ct_eq(&b.0).into()
}

pub(super) fn wrong_bytes(id: KeyId) -> ServerError {
    refused(format!("it holds other bytes than the key {id}; nothing was changed on it: find out where they come from"))
}

pub(super) fn refused(message: String) -> ServerError {
    ServerError { kind: ErrorKind::Refused, message, source: None }
}
