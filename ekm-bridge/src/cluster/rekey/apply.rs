//! What a step of a rekey does to master keys.

use crate::cluster::control::ClusterControl;
use crate::cluster::errors::of_rule;
use crate::cluster::ledger::step_in;
use crate::cluster::whole::Failed;
use crate::records::{self, KeyManagement, KeyManagementError, MasterKeyRecord, MasterKeyState, Only, Work};
use crate::rekey::machine::KeyChange;
use crate::rpc::{ApiError, ErrorName};

impl From<KeyManagementError> for Failed {
    fn from(error: KeyManagementError) -> Self {
        Self(of_rule(error))
    }
}

impl ClusterControl {
    /// `made` is the record of a key that the ledger does not have yet.
    pub(super) fn change_key(
        &self,
        work: &mut Work<'_>,
        change: KeyChange,
        made: Option<&MasterKeyRecord>,
    ) -> Result<(), Failed> {
        let now = self.now();
        match change {
            KeyChange::InForce(id) => {
                let made = made.filter(|made| made.id == id).ok_or_else(unknown)?;
                KeyManagement::record_key_in(work, &MasterKeyRecord { state: MasterKeyState::Active, ..made.clone() })?;
                step_in(work, id, MasterKeyState::Active, "made by a rekey, and in force", now)?;
                work.update::<records::Cluster>(Only, |cluster| cluster.encryption.put_in_force(id))?;
            }
            KeyChange::Retired(id) => {
                KeyManagement::move_key_in(work, id, MasterKeyState::ToDecommission)?;
                step_in(work, id, MasterKeyState::ToDecommission, "replaced by a rekey", now)?;
            }
            KeyChange::Unused(id) => {
                let why = "made by a rekey that was called off; nothing was wrapped by it";
                if work.get::<MasterKeyRecord>(id)?.is_some() {
                    KeyManagement::move_key_in(work, id, MasterKeyState::ToDecommission)?;
                } else {
                    let made = made.filter(|made| made.id == id).ok_or_else(unknown)?;
                    let unused = MasterKeyRecord { state: MasterKeyState::ToDecommission, ..made.clone() };
                    KeyManagement::record_key_in(work, &unused)?;
                }
                step_in(work, id, MasterKeyState::ToDecommission, why, now)?;
            }
            KeyChange::Restored(id) => {
                KeyManagement::restore_key_in(work, id)?;
                step_in(work, id, MasterKeyState::Active, "in force again: the rekey was called off", now)?;
                work.update::<records::Cluster>(Only, |cluster| cluster.encryption.put_in_force(id))?;
            }
        }
        Ok(())
    }
}

fn unknown() -> ApiError {
    ApiError::new(ErrorName::AssertionFailure, "the new master key has no record")
}
