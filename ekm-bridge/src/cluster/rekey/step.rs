//! The steps of a rekey but the rewrap.

use super::describe;
use crate::cluster::control::{ClusterControl, write};
use crate::cluster::errors::{of_record, of_rule};
use crate::cluster::report::{ENCRYPTION_EVENT, FaultCode, event, ids};
use crate::cluster::whole::Failed;
use crate::records::{
    self, AsyncResult, AsyncState, EventLog, KeyManagement, KeyManagementError, MasterKeyRecord, MasterKeyState, Only,
    Rekey, RekeyPhase, Work,
};
use crate::rpc::control::Outcome;
use crate::rpc::types::sear::RekeyState;
use crate::rpc::{ApiError, ErrorName};

/// The subject of the fault of a rekey that left volumes behind.
pub(super) const SUBJECT: &str = "rekey";

impl From<KeyManagementError> for Failed {
    fn from(error: KeyManagementError) -> Self {
        Self(of_rule(error))
    }
}

impl ClusterControl {
    /// Makes the key and puts it in force. Without one the rekey is over and the old key stays in force.
    pub(super) fn create_new_key(&self, rekey: &Rekey) -> Outcome<()> {
        let made = self.make_key(rekey.to, rekey.started).and_then(|key| self.put_in_force(rekey, &key));
        match made {
            Ok(()) => Ok(()),
            // The key is found again by the next try.
            Err(error) if is_of_store(&error) => Err(error),
            Err(error) => {
                tracing::warn!("the rekey has no new key: {error}");
                self.end(rekey, &failed(&error), "The rekey failed: there is no new master key.")
            }
        }
    }

    fn put_in_force(&self, rekey: &Rekey, key: &MasterKeyRecord) -> Outcome<()> {
        let _nobody_wraps = write(&self.in_force);
        let done = self.records.transact(|work| {
            KeyManagement::record_key_in(work, key)?;
            let old = KeyManagement::move_key_in(work, rekey.old, MasterKeyState::ToDecommission)?;
            work.update::<records::Cluster>(Only, |cluster| cluster.encryption.master_key = Some(key.id))?;
            let phase = RekeyPhase::RewrapDataEncryptionKeys;
            work.put(&Rekey { new: Some(key.id), phase, ..rekey.clone() })?;
            let details = describe(&old, Some(key), rekey.to, RekeyState::RewrapDataEncryptionKeys);
            self.advance(work, rekey, AsyncState::Running(details))?;
            Ok::<(), Failed>(())
        });
        Ok(done?)
    }

    /// Every volume is wrapped by the new key.
    pub(super) fn enter_decommission(&self, rekey: &Rekey) -> Outcome<()> {
        let (old, new) = self.keys_of(rekey)?;
        let details = describe(&old, new.as_ref(), rekey.to, RekeyState::DecommissionOldMasterKey);
        let done = self.records.transact(|work| {
            work.put(&Rekey { phase: RekeyPhase::DecommissionOldMasterKey, ..rekey.clone() })?;
            self.advance(work, rekey, AsyncState::Running(details.clone()))
        });
        Ok(done?)
    }

    /// Nothing depends on the old key any more. It is kept: what destroys it needs more proof than this.
    pub(super) fn decommission(&self, rekey: &Rekey) -> Outcome<()> {
        let (old, new) = self.keys_of(rekey)?;
        let result = describe(&old, new.as_ref(), rekey.to, RekeyState::Ready);
        self.resolve(FaultCode::RekeyIncomplete, SUBJECT)?;
        self.end(rekey, &AsyncState::Succeeded(result), "The rekey is done.")
    }

    /// The rekey is over, with this result.
    pub(super) fn end(&self, rekey: &Rekey, end: &AsyncState, message: &str) -> Outcome<()> {
        let (what, now) = (event(ENCRYPTION_EVENT, message, ids([])), self.now());
        let done = self.records.transact(|work| {
            work.delete::<Rekey>(Only)?;
            self.advance(work, rekey, end.clone())?;
            EventLog::new(&self.records).append_in(work, &what, now)?;
            Ok::<(), Failed>(())
        });
        Ok(done?)
    }

    fn advance(&self, work: &mut Work<'_>, rekey: &Rekey, state: AsyncState) -> Result<(), Failed> {
        let updated = self.now();
        work.update::<AsyncResult>(rekey.handle, |result| (result.state, result.updated) = (state, updated))?;
        Ok(())
    }

    fn keys_of(&self, rekey: &Rekey) -> Outcome<(MasterKeyRecord, Option<MasterKeyRecord>)> {
        let new = rekey.new.map(|id| self.key_record(id)).transpose()?;
        Ok((self.records.table().need(rekey.old).map_err(of_record)?, new))
    }
}

fn is_of_store(error: &ApiError) -> bool {
    matches!(error.name, ErrorName::DbConnectionLoss | ErrorName::DbVersionMismatch)
}

pub(super) fn failed(error: &ApiError) -> AsyncState {
    AsyncState::Failed { name: error.name.as_str().to_owned(), message: error.message.clone() }
}
