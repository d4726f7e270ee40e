//! Replacing the master key.
//!
//! ```text
//! begin ─▶ CreateNewMasterKey ─▶ RewrapDataEncryptionKeys ─▶ DecommissionOldMasterKey ─▶ Ready
//!             no key: failed,        every volume, several at        the old key is
//!             the old one stays      a time; a failing one stops      no longer needed
//!             in force               no other, and is named
//! ```
//! Each phase is durable before anything of it happens, and a phase may be done again. The new key is in force from the
//! moment it is recorded, so volumes that are made during the rekey need no rewrap. What a volume needs is read from its
//! header and not from a list, so whatever an earlier rekey left behind is brought along by the next one.
//!
//! The old key is kept in the state `ToDecommission`; nothing is revoked or destroyed here.

mod rewrap;
mod step;

use serde_json::Value;

use super::control::{ClusterControl, lock};
use super::errors::of_record;
use super::keys::key_info;
use super::report::{ENCRYPTION_EVENT, event, ids};
use super::whole::Failed;
use crate::records::{
    self, AsyncHandle, AsyncResult, AsyncState, EventLog, Management, MasterKeyRecord, Only, Rekey, RekeyPhase,
};
use crate::rpc::control::Outcome;
use crate::rpc::types::async_results::AsyncResultType;
use crate::rpc::types::sear::{RekeyInfo, RekeyState};
use crate::rpc::{ApiError, ErrorName};

impl ClusterControl {
    /// Records that a rekey begins, everything in one transaction. [`Self::drive_rekey`] does it.
    pub(super) fn begin_rekey(&self, to: Management) -> Outcome<AsyncHandle> {
        let now = self.now();
        let begun = self.records.transact(|work| {
            if work.get::<Rekey>(Only)?.is_some() {
                return Err(ApiError::new(ErrorName::RekeyInProgress, "a rekey is running").into());
            }
            let mut cluster = work.need::<records::Cluster>(Only)?;
            let Some(old) = cluster.encryption.master_key else {
                let message = "software encryption at rest is disabled";
                return Err(ApiError::new(ErrorName::SoftwareEncryptionNotEnabled, message).into());
            };
            let old_record = work.need::<MasterKeyRecord>(old)?;
            let phase = RekeyPhase::CreateNewMasterKey;
            let kind = AsyncResultType::RekeyMasterKey.as_str().to_owned();
            let details = describe(&old_record, None, to, RekeyState::CreateNewMasterKey);
            let state = AsyncState::Running(details);
            let result = work.insert(|handle| AsyncResult { handle, kind, created: now, updated: now, state })?;
            work.put(&Rekey { handle: result.handle, old, to, new: None, phase, started: now })?;
            cluster.encryption.rekey = Some(result.handle);
            work.put(&cluster)?;
            let what = event(ENCRYPTION_EVENT, &operation(old_record.management, to), ids([]));
            EventLog::new(&self.records).append_in(work, &what, now)?;
            Ok::<_, Failed>(result.handle)
        });
        Ok(begun?)
    }

    /// Drives the rekey that is recorded, if one is, to its end. It may be called again after any failure.
    ///
    /// # Errors
    /// When the store fails; the rekey then goes on at the next call. That a key or a volume fails is no error here: it is
    /// in the asynchronous result.
    pub fn drive_rekey(&self) -> Outcome<()> {
        let _alone = lock(&self.rekeying);
        while let Some(rekey) = self.running_rekey()? {
            match rekey.phase {
                RekeyPhase::CreateNewMasterKey => self.create_new_key(&rekey)?,
                RekeyPhase::RewrapDataEncryptionKeys => self.rewrap_volumes(&rekey)?,
                RekeyPhase::DecommissionOldMasterKey => self.decommission(&rekey)?,
            }
        }
        Ok(())
    }

    fn running_rekey(&self) -> Outcome<Option<Rekey>> {
        self.records.table::<Rekey>().get(Only).map_err(of_record)
    }
}

/// `RekeyInfo` as JSON.
fn describe(old: &MasterKeyRecord, new: Option<&MasterKeyRecord>, to: Management, state: RekeyState) -> Value {
    let info = RekeyInfo {
        key_to_decommission: Some(key_info(old)),
        new_key: new.map(key_info),
        operation: operation(old.management, to),
        state,
    };
    serde_json::to_value(info).unwrap_or(Value::Null)
}

/// What a rekey does, for people. The first wording is public, the others are ours.
fn operation(from: Management, to: Management) -> String {
    let place = |management| match management {
        Management::Internal => "Internal Key Management".to_owned(),
        Management::External(provider) => format!("External Key Management with keyProviderID={provider}"),
    };
    if from == to {
        return format!("Rekeying Master Key. Master Key management stays with {}", place(to));
    }
    let (from, to) = (place(from), place(to));
    format!("Rekeying Master Key. Master Key management being transferred from {from} to {to}")
}
