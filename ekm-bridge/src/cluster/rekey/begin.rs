//! Beginning a rekey, and calling it off.

use uuid::Uuid;

use super::tell::{describe, operation};
use crate::cluster::control::{ClusterControl, lock};
use crate::cluster::report::{ENCRYPTION_EVENT, event, ids};
use crate::cluster::whole::Failed;
use crate::records::{
    self, AsyncHandle, AsyncResult, AsyncState, EventLog, Header, Management, MasterKeyRecord, Only, Rekey, RekeyPhase,
};
use crate::rekey::machine::Input;
use crate::rpc::control::Outcome;
use crate::rpc::types::async_results::AsyncResultType;
use crate::rpc::types::sear::RekeyState;
use crate::rpc::{ApiError, ErrorName};

impl ClusterControl {
    /// Records that a rekey begins, everything in one transaction; the thread of rekeys does it. While one runs, the same
    /// request gets its handle, and another is refused.
    pub(in crate::cluster) fn begin_rekey(&self, to: Management) -> Outcome<AsyncHandle> {
        let now = self.now();
        let begun = self.records.transact(|work| {
            if let Some(running) = work.get::<Rekey>(Only)? {
                return if running.to == to && !running.is_cancelled {
                    Ok(running.handle)
                } else {
                    Err(self.in_progress(&running).into())
                };
            }
            let mut cluster = work.need::<records::Cluster>(Only)?;
            let Some(old) = cluster.encryption.master_key else {
                let message = "software encryption at rest is disabled";
                return Err(ApiError::new(ErrorName::SoftwareEncryptionNotEnabled, message).into());
            };
            let old_record = work.need::<MasterKeyRecord>(old)?;
            let phase = RekeyPhase::CreateNewMasterKey;
            let kind = AsyncResultType::RekeyMasterKey.as_str().to_owned();
            let state = AsyncState::Running(describe(&old_record, None, to, RekeyState::CreateNewMasterKey, &[]));
            let result = work.insert(|handle| AsyncResult { handle, kind, created: now, updated: now, state })?;
            let handle = result.handle;
            let order = Some(Uuid::new_v4());
            work.put(&Rekey { handle, old, to, new: None, phase, started: now, is_cancelled: false, order })?;
            cluster.encryption.rekey = Some(handle);
            work.put(&cluster)?;
            let what = event(ENCRYPTION_EVENT, &operation(old_record.management, to), ids([]));
            EventLog::new(&self.records).append_in(work, &what, now)?;
            Ok::<_, Failed>(handle)
        })?;
        self.wake_rekey();
        Ok(begun)
    }

    /// Calls the running rekey off, as long as no header may name the new key. One that waits for a key that is out of reach
    /// ends with what it has done.
    pub(in crate::cluster) fn call_off_rekey(&self) -> Outcome<AsyncHandle> {
        let none = || ApiError::new(ErrorName::DbNoSuchPath, "no rekey is running");
        let rekey = self.running_rekey()?.ok_or_else(none)?;
        let is_stuck = self.waits_for_key(rekey.handle).is_some();
        self.tell(&rekey, Input::Cancel { is_wrapped: false, is_stuck }, None, None)?;
        self.waits_no_longer()?;
        self.wake_rekey();
        Ok(rekey.handle)
    }

    fn in_progress(&self, running: &Rekey) -> ApiError {
        let waits = self.waits_for_key(running.handle).map(|waits| {
            let advice = "CancelRekeySoftwareEncryptionAtRestMasterKey ends it with what it has done, then rekey again";
            format!(". {waits}. {advice}")
        });
        let waits = waits.unwrap_or_default();
        let message = format!("another rekey is running; its asyncHandle is {}{waits}", running.handle.0);
        ApiError::new(ErrorName::RekeyInProgress, message)
    }

    pub(in crate::cluster) fn wake_rekey(&self) {
        lock(&self.wake.state).rekey = true;
        self.wake.changed.notify_all();
    }
}

/// Whether a header may name the new key of this rekey.
pub(super) fn is_wrapped(work: &mut records::Work<'_>, rekey: &Rekey) -> Result<bool, records::RecordError> {
    match rekey.new {
        Some(new) => Ok(!Header::naming(work, new)?.is_empty()),
        None => Ok(false),
    }
}
