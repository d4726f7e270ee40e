//! Changing a volume.

use super::create::{changed_qos, check_account, check_policy, rounded};
use super::{offer, show};
use crate::cluster::control::{ClusterControl, read};
use crate::cluster::errors::{of_host, of_record};
use crate::cluster::keys::Owned;
use crate::records::{self, Access, VolumeStatus};
use crate::rpc::control::Outcome;
use crate::rpc::types::volumes::{ModifyVolume, Volume, VolumeAccess};
use crate::rpc::{ApiError, ErrorName};

impl ClusterControl {
    pub(super) fn modify(&self, change: ModifyVolume) -> Outcome<Volume> {
        refuse_foreign(&change)?;
        let _key_stays = read(&self.in_force);
        let _turn = self.turns.take(self.volume_record(change.id)?.uuid);
        let before = self.volume_record(change.id)?;
        let after = changed(&before, change)?;
        // Recorded first: after a crash the volume becomes what its record says, the whole change and not a part of it.
        self.records.table().put(&after).map_err(of_record)?;
        self.apply(&before, &after)?;
        self.changed(&format!("Volume {} was modified.", after.id))?;
        Ok(show::volume(after))
    }

    /// Does to the real volume what the change asks for. What was not done is taken back from the record.
    fn apply(&self, before: &records::Volume, after: &records::Volume) -> Outcome<()> {
        self.apply_size(before, after).inspect_err(|_| self.take_back(before))?;
        let grown = records::Volume { size: after.size, ..before.clone() };
        self.apply_access(before, after).inspect_err(|_| self.take_back(&grown))
    }

    fn apply_size(&self, before: &records::Volume, after: &records::Volume) -> Outcome<()> {
        if after.size == before.size {
            return Ok(());
        }
        let grow = |key: &Owned| self.host.grow(before.uuid, after.size, key.wrapping()).map_err(of_host);
        self.with_key_of(before, grow)
    }

    fn apply_access(&self, before: &records::Volume, after: &records::Volume) -> Outcome<()> {
        match offer(after) {
            _ if after.access == before.access => Ok(()),
            Some(_) => self.with_key_of(after, |key| self.open(after, key)),
            None => self.close(after),
        }
    }

    fn take_back(&self, volume: &records::Volume) {
        if let Err(error) = self.records.table().put(volume) {
            tracing::error!(volume = %volume.uuid, "a change that failed is still recorded: {error}");
        }
    }
}

fn changed(before: &records::Volume, change: ModifyVolume) -> Outcome<records::Volume> {
    if before.status != VolumeStatus::Active {
        return Err(ApiError::new(ErrorName::InvalidParameter, format!("volume {} was deleted", before.id)));
    }
    let mut after = before.clone();
    if let Some(size) = change.total_size {
        // What lies on a medium of its own fits that, and not the steps of the API.
        after.size = if before.site.is_some() { size } else { rounded(size) };
    }
    if after.size < before.size {
        let message = format!("volume {} has {} bytes, and volumes only grow", before.id, before.size);
        return Err(ApiError::new(ErrorName::InvalidParameter, message));
    }
    after.account = change.account.map_or(after.account, |account| account.0);
    after.attributes = change.attributes.unwrap_or(after.attributes);
    after.qos = changed_qos(after.qos, change.qos)?;
    after.access = change.access.map(access).transpose()?.unwrap_or(after.access);
    Ok(after)
}

fn access(wanted: VolumeAccess) -> Outcome<Access> {
    match wanted {
        VolumeAccess::ReadWrite => Ok(Access::ReadWrite),
        VolumeAccess::ReadOnly => Ok(Access::ReadOnly),
        VolumeAccess::Locked => Ok(Access::Locked),
        VolumeAccess::ReplicationTarget | VolumeAccess::SnapMirrorTarget => {
            Err(ApiError::new(ErrorName::ApiNotPermitted, "there is no replication here"))
        }
    }
}

fn refuse_foreign(change: &ModifyVolume) -> Outcome<()> {
    change.account.map_or(Ok(()), |account| check_account(account.0))?;
    check_policy(change.qos_policy.is_some())?;
    if change.enable_snap_mirror_replication == Some(true) {
        return Err(ApiError::new(ErrorName::ApiNotPermitted, "there is no SnapMirror here"));
    }
    Ok(())
}
