//! Rules over key servers, key providers and master keys, and the verbs that keep them.
//!
//! The rules are functions of what is there, so that a caller can ask before it talks to a server, and the verb asks
//! again in its transaction.

mod rules;
#[cfg(test)]
mod tests;

use keywrap::keys::KeyId;

pub use rules::{
    Assignment, Refusal, is_active, may_activate, may_delete_provider, may_delete_server, may_unassign, plan_assignment,
};

use super::key_providers::{KeyProviderId, KeyProviderRecord};
use super::key_servers::{KeyServer, KeyServerId};
use super::master_keys::{Management, MasterKeyRecord, MasterKeyState};
use super::{RecordError, Records, Work};

/// Why a verb did nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeyManagementError {
    /// The store failed, or there is no such record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A rule forbids it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// The verbs. None of them talks to a key server: that is the caller's, before (`plan_*`) or after.
#[derive(Clone, Copy)]
pub struct KeyManagement<'a> {
    records: &'a Records,
}

impl<'a> KeyManagement<'a> {
    /// The verbs over these records.
    #[must_use]
    pub fn new(records: &'a Records) -> Self {
        Self { records }
    }

    /// Adds a provider, inactive and without servers.
    ///
    /// # Errors
    /// When the store fails.
    pub fn create_provider(&self, name: &str) -> Result<KeyProviderRecord, RecordError> {
        self.records.table().insert(|id| KeyProviderRecord {
            id,
            name: name.to_owned(),
            active: false,
            rotation_days: None,
        })
    }

    /// Deletes an inactive provider. Its servers are no longer assigned.
    ///
    /// # Errors
    /// When it is active or absent, or the store fails.
    pub fn delete_provider(&self, id: KeyProviderId) -> Result<(), KeyManagementError> {
        self.records.transact(|work| {
            may_delete_provider(&work.need(id)?, &work.list()?)?;
            for server in servers_of(work, id)? {
                work.update::<KeyServer>(server.id, |server| server.provider = None)?;
            }
            work.delete::<KeyProviderRecord>(id)?;
            Ok(())
        })
    }

    /// Deletes a server; an unknown one is an error.
    ///
    /// # Errors
    /// When it is the last one of an active provider, or the store fails.
    pub fn delete_server(&self, id: KeyServerId) -> Result<(), KeyManagementError> {
        self.records.transact(|work| {
            let server = work.need::<KeyServer>(id)?;
            may_delete_server(&server, &work.list()?, &work.list()?)?;
            work.delete::<KeyServer>(id)?;
            Ok(())
        })
    }

    /// Assigns a server to a provider. Its servers must hold the same keys: copy them before.
    ///
    /// # Errors
    /// When it serves another provider, either is absent, or the store fails.
    pub fn assign(&self, server: KeyServerId, provider: KeyProviderId) -> Result<Assignment, KeyManagementError> {
        self.records.transact(|work| {
            let plan = plan_assignment(&work.need(server)?, &work.need(provider)?)?;
            if plan == Assignment::New {
                work.update::<KeyServer>(server, |server| server.provider = Some(provider))?;
            }
            Ok(plan)
        })
    }

    /// Ends the assignment of a server, if it has one.
    ///
    /// # Errors
    /// When it is the last one of an active provider, it is absent, or the store fails.
    pub fn unassign(&self, id: KeyServerId) -> Result<Assignment, KeyManagementError> {
        self.records.transact(|work| {
            let server = work.need::<KeyServer>(id)?;
            let plan = may_unassign(&server, &work.list()?, &work.list()?)?;
            if plan == Assignment::New {
                work.update::<KeyServer>(id, |server| server.provider = None)?;
            }
            Ok(plan)
        })
    }

    /// Records a new master key; an external one makes its provider active.
    ///
    /// # Errors
    /// When the provider is absent or has no server, the key is known already, or the store fails.
    pub fn record_key(&self, key: &MasterKeyRecord) -> Result<(), KeyManagementError> {
        self.records.transact(|work| Self::record_key_in(work, key))
    }

    /// The same as part of another change.
    ///
    /// # Errors
    /// As [`Self::record_key`].
    pub fn record_key_in(work: &mut Work<'_>, key: &MasterKeyRecord) -> Result<(), KeyManagementError> {
        if let Management::External(provider) = key.management {
            may_activate(&work.need(provider)?, &work.list()?)?;
        }
        work.create(key)?;
        Ok(refresh_activity(work, key.management)?)
    }

    /// Moves a master key on. Destroying the last one of a provider makes it inactive.
    ///
    /// # Errors
    /// When the key is absent or may not go there, or the store fails.
    pub fn move_key(&self, id: KeyId, next: MasterKeyState) -> Result<MasterKeyRecord, KeyManagementError> {
        self.records.transact(|work| Self::move_key_in(work, id, next))
    }

    /// The same as part of another change.
    ///
    /// # Errors
    /// As [`Self::move_key`].
    pub fn move_key_in(
        work: &mut Work<'_>,
        id: KeyId,
        next: MasterKeyState,
    ) -> Result<MasterKeyRecord, KeyManagementError> {
        let key = work.need::<MasterKeyRecord>(id)?;
        if !key.state.may_become(next, key.management) {
            return Err(Refusal::KeyState { key: id, from: key.state, to: next }.into());
        }
        let after = work.update::<MasterKeyRecord>(id, |key| key.state = next)?;
        refresh_activity(work, after.management)?;
        Ok(after)
    }

    /// Brings a key that is to be decommissioned back into force: the rekey that replaced it was called off before
    /// anything was wrapped by the newer one. The only way back that there is.
    ///
    /// # Errors
    /// When the key is absent or its end has begun, or the store fails.
    pub fn restore_key_in(work: &mut Work<'_>, id: KeyId) -> Result<MasterKeyRecord, KeyManagementError> {
        let key = work.need::<MasterKeyRecord>(id)?;
        if key.state != MasterKeyState::ToDecommission {
            return Err(Refusal::KeyState { key: id, from: key.state, to: MasterKeyState::Active }.into());
        }
        Ok(work.update::<MasterKeyRecord>(id, |key| key.state = MasterKeyState::Active)?)
    }
}

/// Makes the `active` of a provider true to its keys.
fn refresh_activity(work: &mut Work<'_>, management: Management) -> Result<(), RecordError> {
    let Management::External(id) = management else { return Ok(()) };
    let active = is_active(id, &work.list()?);
    if work.need::<KeyProviderRecord>(id)?.active != active {
        work.update::<KeyProviderRecord>(id, |provider| provider.active = active)?;
    }
    Ok(())
}

fn servers_of(work: &mut Work<'_>, provider: KeyProviderId) -> Result<Vec<KeyServer>, RecordError> {
    let mut servers = work.list::<KeyServer>()?;
    servers.retain(|server| server.provider == Some(provider));
    Ok(servers)
}
