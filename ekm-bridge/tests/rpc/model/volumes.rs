//! Volumes and their statistics.

use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{Outcome, VolumeStatistics, Volumes};
use ekm_bridge::rpc::types::limits::VOLUME_SIZE_STEP;
use ekm_bridge::rpc::types::stats::{MetadataHosts, VolumeStats};
use ekm_bridge::rpc::types::volumes::{
    CreateVolume, DeleteVolumes, ListVolumes, ModifyVolume, ProtectionScheme, PurgeVolumes, SetQos, Volume,
    VolumeAccess, VolumeQos, VolumeStatus,
};
use ekm_bridge::rpc::types::{AccountId, Timestamp, VolumeId};
use uuid::Uuid;

use super::{Model, NODE, State, fail};

impl Volumes for Model {
    fn volumes(&self, filter: &ListVolumes) -> Outcome<Vec<Volume>> {
        let limit = filter.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        Ok(self.state().volumes.values().filter(|volume| filter.matches(volume)).take(limit).cloned().collect())
    }

    fn create_volume(&self, new: CreateVolume) -> Outcome<Volume> {
        if new.account != AccountId(1) {
            return fail(ErrorName::AccountDoesNotExist, format!("there is no account {}", new.account));
        }
        if new.qos_policy.is_some() {
            return fail(ErrorName::QosPolicyDoesNotExist, "there are no policies");
        }
        if new.access.is_some() || new.enable_snap_mirror_replication == Some(true) {
            return fail(ErrorName::ApiNotPermitted, "there is no SnapMirror");
        }
        let mut state = self.state();
        let id = VolumeId(state.next_id());
        let volume = fresh(id, new);
        state.volumes.insert(id, volume.clone());
        Ok(volume)
    }

    fn modify_volume(&self, change: ModifyVolume) -> Outcome<Volume> {
        let mut state = self.state();
        let volume = state.volume(change.id)?;
        if let Some(size) = change.total_size {
            if round_up(size) < volume.total_size {
                return fail(ErrorName::InvalidParameter, "a volume cannot shrink");
            }
            volume.total_size = round_up(size);
        }
        volume.access = change.access.unwrap_or(volume.access);
        volume.attributes = change.attributes.unwrap_or_else(|| volume.attributes.clone());
        set_qos(&mut volume.qos, change.qos.unwrap_or_default());
        Ok(volume.clone())
    }

    fn delete_volume(&self, id: VolumeId) -> Outcome<Volume> {
        let mut state = self.state();
        let volume = state.volume(id)?;
        volume.status = VolumeStatus::Deleted;
        volume.delete_time = Some(Timestamp::now());
        volume.purge_time = Some(Timestamp::now());
        Ok(volume.clone())
    }

    fn delete_volumes(&self, which: &DeleteVolumes) -> Outcome<Vec<Volume>> {
        self.selected(which)?.into_iter().map(|id| self.delete_volume(id)).collect()
    }

    fn purge_volume(&self, id: VolumeId) -> Outcome<()> {
        let mut state = self.state();
        if state.volume(id)?.status != VolumeStatus::Deleted {
            return fail(ErrorName::VolumeNotDeleted, format!("volume {id} is not deleted"));
        }
        state.volumes.remove(&id);
        Ok(())
    }

    fn purge_volumes(&self, which: &PurgeVolumes) -> Outcome<()> {
        self.selected(which)?.into_iter().try_for_each(|id| self.purge_volume(id))
    }
}

impl VolumeStatistics for Model {
    fn volume_stats(&self, id: VolumeId) -> Outcome<VolumeStats> {
        let mut state = self.state();
        let volume = state.volume(id)?;
        Ok(VolumeStats {
            account: volume.account,
            volume: id,
            volume_size: volume.total_size,
            timestamp: Some(Timestamp::now()),
            read_ops: 3,
            write_ops: 5,
            metadata_hosts: Some(MetadataHosts { primary: NODE, ..MetadataHosts::default() }),
            throttle: Some(0.0),
            ..VolumeStats::default()
        })
    }

    fn all_volume_stats(&self, volumes: Option<&[VolumeId]>) -> Outcome<Vec<VolumeStats>> {
        let all: Vec<VolumeId> = self.state().volumes.keys().copied().collect();
        volumes.unwrap_or(&all).iter().map(|id| self.volume_stats(*id)).collect()
    }
}

impl Model {
    fn selected(&self, which: &DeleteVolumes) -> Outcome<Vec<VolumeId>> {
        let mut state = self.state();
        if let Some(volumes) = &which.volumes {
            volumes.iter().try_for_each(|id| state.volume(*id).map(drop))?;
            return Ok(volumes.clone());
        }
        let accounts = which.accounts.clone().unwrap_or_default();
        Ok(state.volumes.values().filter(|volume| accounts.contains(&volume.account)).map(|volume| volume.id).collect())
    }
}

impl State {
    fn volume(&mut self, id: VolumeId) -> Outcome<&mut Volume> {
        match self.volumes.get_mut(&id) {
            Some(volume) => Ok(volume),
            None => fail(ErrorName::VolumeDoesNotExist, format!("there is no volume {id}")),
        }
    }
}

fn round_up(size: u64) -> u64 {
    size.next_multiple_of(VOLUME_SIZE_STEP)
}

fn set_qos(qos: &mut VolumeQos, set: SetQos) {
    qos.min_iops = set.min_iops.unwrap_or(qos.min_iops);
    qos.max_iops = set.max_iops.unwrap_or(qos.max_iops);
    qos.burst_iops = set.burst_iops.unwrap_or(qos.burst_iops);
    qos.burst_time = set.burst_time.unwrap_or(qos.burst_time);
}

fn fresh(id: VolumeId, new: CreateVolume) -> Volume {
    let curve = [("4096", 100), ("1048576", 15_000)].map(|(size, cost)| (size.to_owned(), cost)).into();
    let mut qos = VolumeQos { min_iops: 50, max_iops: 15_000, burst_iops: 15_000, burst_time: 60, curve };
    set_qos(&mut qos, new.qos.unwrap_or_default());
    Volume {
        id,
        name: new.name,
        account: new.account,
        create_time: Timestamp::now(),
        consistency_group: Uuid::new_v4(),
        uuid: Uuid::new_v4(),
        enable_snap_mirror_replication: false,
        status: VolumeStatus::Active,
        access: VolumeAccess::ReadWrite,
        enable512e: new.enable512e.unwrap_or(false),
        iqn: None,
        scsi_eui: format!("{:032x}", id.0),
        scsi_naa: format!("6f47acc1{:024x}", id.0),
        qos,
        qos_policy: None,
        volume_access_groups: Vec::new(),
        volume_pairs: Vec::new(),
        delete_time: None,
        purge_time: None,
        last_access_time: None,
        last_access_time_io: None,
        slice_count: 1,
        total_size: round_up(new.total_size),
        block_size: 4096,
        virtual_volume: None,
        attributes: new.attributes.unwrap_or_default(),
        current_protection_scheme: ProtectionScheme::SingleHelix,
        previous_protection_scheme: None,
        fifo_size: Some(new.fifo_size.unwrap_or(24)),
        min_fifo_size: Some(new.min_fifo_size.unwrap_or(0)),
    }
}
