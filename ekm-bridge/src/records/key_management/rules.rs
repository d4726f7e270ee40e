//! The rules, each a function of what is there.

use keywrap::keys::KeyId;

use crate::records::key_providers::{KeyProviderId, KeyProviderRecord};
use crate::records::key_servers::{KeyServer, KeyServerId};
use crate::records::master_keys::{MasterKeyRecord, MasterKeyState};

/// A rule that forbids something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Keys that the provider made are outstanding.
    #[error("key provider {0} is active: keys that it made are still there; rekey to another one first")]
    ProviderActive(KeyProviderId),
    /// An active provider would be without a server.
    #[error("key server {server} is the last one of the active key provider {provider}; add another one first")]
    LastServer {
        /// The server.
        server: KeyServerId,
        /// Its provider.
        provider: KeyProviderId,
    },
    /// Two providers would share a server.
    #[error("key server {server} serves key provider {provider}; remove it there first")]
    ServesAnother {
        /// The server.
        server: KeyServerId,
        /// The provider it serves.
        provider: KeyProviderId,
    },
    /// A provider without a server makes no keys.
    #[error("key provider {0} has no key server; add one first")]
    NoServer(KeyProviderId),
    /// A master key does not go this way.
    #[error("master key {key} is {from:?} and cannot become {to:?}")]
    KeyState {
        /// The key.
        key: KeyId,
        /// Its state.
        from: MasterKeyState,
        /// The state asked for.
        to: MasterKeyState,
    },
}

/// What a change of an assignment comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// It is as asked for already; nothing is to be done.
    Already,
    /// It is to be made so.
    New,
}

/// A provider is active as long as keys that it made are outstanding.
#[must_use]
pub fn is_active(provider: KeyProviderId, keys: &[MasterKeyRecord]) -> bool {
    keys.iter().any(|key| key.is_outstanding() && key.provider() == Some(provider))
}

/// A provider makes its first key only when it has a server.
///
/// # Errors
/// [`Refusal::NoServer`].
pub fn may_activate(provider: &KeyProviderRecord, servers: &[KeyServer]) -> Result<(), Refusal> {
    let has_server = servers.iter().any(|server| server.provider == Some(provider.id));
    if has_server { Ok(()) } else { Err(Refusal::NoServer(provider.id)) }
}

/// Only an inactive provider is deleted. The keys decide, whatever the record says.
///
/// # Errors
/// [`Refusal::ProviderActive`].
pub fn may_delete_provider(provider: &KeyProviderRecord, keys: &[MasterKeyRecord]) -> Result<(), Refusal> {
    let active = provider.active || is_active(provider.id, keys);
    if active { Err(Refusal::ProviderActive(provider.id)) } else { Ok(()) }
}

/// A server serves one provider at most; assigning it again to the same one is nothing new.
///
/// # Errors
/// [`Refusal::ServesAnother`].
pub fn plan_assignment(server: &KeyServer, provider: &KeyProviderRecord) -> Result<Assignment, Refusal> {
    match server.provider {
        None => Ok(Assignment::New),
        Some(id) if id == provider.id => Ok(Assignment::Already),
        Some(id) => Err(Refusal::ServesAnother { server: server.id, provider: id }),
    }
}

/// An active provider keeps its last server. A server without a provider is as asked for.
///
/// # Errors
/// [`Refusal::LastServer`].
pub fn may_unassign(
    server: &KeyServer,
    servers: &[KeyServer],
    keys: &[MasterKeyRecord],
) -> Result<Assignment, Refusal> {
    let Some(provider) = server.provider else { return Ok(Assignment::Already) };
    let others = servers.iter().any(|other| other.id != server.id && other.provider == Some(provider));
    if others || !is_active(provider, keys) {
        Ok(Assignment::New)
    } else {
        Err(Refusal::LastServer { server: server.id, provider })
    }
}

/// The last server of an active provider is not deleted.
///
/// # Errors
/// [`Refusal::LastServer`].
pub fn may_delete_server(server: &KeyServer, servers: &[KeyServer], keys: &[MasterKeyRecord]) -> Result<(), Refusal> {
    may_unassign(server, servers, keys).map(drop)
}
