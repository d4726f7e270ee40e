//! Making a volume.

use std::collections::{BTreeMap, BTreeSet};

use keywrap::keys::KeyId;
use uuid::Uuid;

use super::{export_name, show};
use crate::cluster::control::{ClusterControl, lock, read};
use crate::cluster::errors::{of_host, of_record};
use crate::cluster::headers::must_be_in_force;
use crate::cluster::host::{HostErrorKind, NewVolume};
use crate::cluster::whole::Failed;
use crate::records::{self, Access, Header, Qos, VolumeStatus};
use crate::rpc::control::Outcome;
use crate::rpc::types::limits::{Limits, VOLUME_COUNT_MAX, VOLUME_SIZE_MAX, VOLUME_SIZE_STEP};
use crate::rpc::types::volumes::{CreateVolume, ProtectionScheme, SetQos, Volume};
use crate::rpc::{ApiError, ErrorName};

/// Bytes of a sector of every volume; of those that show small ones, a multiple.
const SECTOR: u64 = 4096;

impl ClusterControl {
    pub(super) fn create(&self, new: CreateVolume) -> Outcome<Volume> {
        refuse_foreign(&new)?;
        self.refuse_too_many_volumes(new.account.0)?;
        // Until the volume is there, the key that it is wrapped by stays in force.
        let _key_stays = read(&self.in_force);
        let key = self.key_in_force()?;
        let qos = changed_qos(default_qos(), new.qos)?;
        let planned = self.plan(&new, &qos, key.id)?;
        let _turn = self.turns.take(planned.uuid);
        let made = self.make_real(&planned, &key);
        if made.is_err() {
            self.undo(&planned);
        }
        let made = made?;
        self.changed(&format!("Volume {} was created.", made.id))?;
        Ok(show::volume(made))
    }

    fn make_real(&self, planned: &records::Volume, key: &crate::cluster::keys::Owned) -> Outcome<records::Volume> {
        let new = NewVolume {
            uuid: planned.uuid,
            name: export_name(planned),
            size: planned.size,
            small_sectors: planned.enable_512e,
        };
        let path = self.host.create(&new, key.wrapping()).map_err(of_host)?;
        self.open(planned, key)?;
        let (names, now) = (BTreeSet::from([key.id]), self.now());
        let real = self.records.transact(|work| {
            work.update::<Header>(planned.uuid, |header| header.was_read(names.clone(), now))?;
            work.update::<records::Volume>(planned.id, |volume| volume.path = Some(path.clone()))
        });
        real.map_err(of_record)
    }

    /// Records the volume that is to be, and the key that its header is to name.
    fn plan(&self, new: &CreateVolume, qos: &Qos, key: KeyId) -> Outcome<records::Volume> {
        let planned = self.records.transact(|work| {
            must_be_in_force(work, key)?;
            let planned = work.insert(|id| self.planned(id, new, qos))?;
            work.put(&Header::of_volume(planned.id, planned.uuid, key))?;
            Ok::<_, Failed>(planned)
        });
        Ok(planned?)
    }

    /// Removes what is left of a volume in the data directory that nobody was told of. What cannot be removed now is at the next start.
    fn undo(&self, planned: &records::Volume) {
        if let Err(error) = self.erase_for_good(planned) {
            tracing::warn!(volume = %planned.uuid, "a volume that could not be made is not removed yet: {error}");
        }
    }

    /// Destroys the keys of a volume and forgets it. The caller has its turn.
    pub(in crate::cluster) fn erase_for_good(&self, volume: &records::Volume) -> Outcome<()> {
        let is_gone = |kind| kind == HostErrorKind::Absent;
        match self.host.close(volume.uuid).and_then(|()| self.host.erase(volume.uuid)) {
            // At a place of its own a volume that is away would come back with its keys.
            Err(error) if !is_gone(error.kind) || volume.site.is_some() => return Err(of_host(error)),
            _ => {}
        }
        self.erase_backups_of(volume.id)?;
        lock(&self.recorded).remove(&volume.id);
        let forgotten = self.records.transact(|work| {
            work.delete::<records::VolumeTotals>(volume.id)?;
            work.delete::<Header>(volume.uuid)?;
            work.delete::<records::VolumeRecord>(volume.uuid)?;
            work.delete::<records::Volume>(volume.id)
        });
        forgotten.map(drop).map_err(of_record)
    }

    fn planned(&self, id: records::VolumeId, new: &CreateVolume, qos: &Qos) -> records::Volume {
        records::Volume {
            id,
            uuid: Uuid::new_v4(),
            name: new.name.clone(),
            account: new.account.0,
            size: rounded(new.total_size),
            status: VolumeStatus::Active,
            created: self.now(),
            access: Access::ReadWrite,
            qos: qos.clone(),
            attributes: new.attributes.clone().unwrap_or_default(),
            enable_512e: new.enable512e.unwrap_or(false),
            path: None,
            site: None,
        }
    }

    pub(in crate::cluster) fn refuse_too_many_volumes(&self, account: u64) -> Outcome<()> {
        let volumes = self.volume_records()?;
        let living = volumes.iter().filter(|volume| volume.status == VolumeStatus::Active);
        let (of_account, others): (Vec<_>, Vec<_>) = living.partition(|volume| volume.account == account);
        let per_account = Limits::CURRENT.volumes_per_account_count_max;
        let reached = |count: usize, max: u64| u64::try_from(count).is_ok_and(|count| count >= max);
        if reached(of_account.len(), per_account) || reached(of_account.len() + others.len(), VOLUME_COUNT_MAX) {
            let message = format!("{per_account} volumes of an account and {VOLUME_COUNT_MAX} in all are the most");
            return Err(ApiError::new(ErrorName::ExceededLimit, message));
        }
        Ok(())
    }
}

/// The size that a volume really gets: whole steps of the API, then whole sectors.
pub(super) fn rounded(size: u64) -> u64 {
    let stepped = size.checked_next_multiple_of(VOLUME_SIZE_STEP).unwrap_or(VOLUME_SIZE_MAX);
    stepped.next_multiple_of(SECTOR).min(VOLUME_SIZE_MAX)
}

fn refuse_foreign(new: &CreateVolume) -> Outcome<()> {
    check_account(new.account.0)?;
    check_policy(new.qos_policy.is_some())?;
    if new.access.is_some() || new.enable_snap_mirror_replication == Some(true) {
        return Err(ApiError::new(ErrorName::ApiNotPermitted, "there is no SnapMirror here"));
    }
    if new.protection_scheme.is_some_and(|scheme| scheme != ProtectionScheme::SingleHelix) {
        return Err(ApiError::new(ErrorName::ApiNotPermitted, "volumes have one copy here: singleHelix"));
    }
    Ok(())
}

/// Accounts are not kept here: every number from 1 is somebody's.
pub(in crate::cluster) fn check_account(account: u64) -> Outcome<()> {
    if account > 0 {
        return Ok(());
    }
    Err(ApiError::new(ErrorName::AccountDoesNotExist, "there is no account 0; every number from 1 is taken"))
}

pub(super) fn check_policy(is_named: bool) -> Outcome<()> {
    if is_named {
        return Err(ApiError::new(ErrorName::QosPolicyDoesNotExist, "there are no quality-of-service policies here"));
    }
    Ok(())
}

pub(in crate::cluster) fn default_qos() -> Qos {
    let curve =
        BTreeMap::from([(4096, 100), (8192, 160), (16_384, 270), (32_768, 500), (65_536, 1000), (1_048_576, 15_000)]);
    Qos { min_iops: 50, max_iops: 15_000, burst_iops: 15_000, burst_seconds: 60, curve }
}

/// The quality of service with what is given put in.
pub(super) fn changed_qos(mut qos: Qos, set: Option<SetQos>) -> Outcome<Qos> {
    let Some(set) = set else { return Ok(qos) };
    qos.min_iops = set.min_iops.unwrap_or(qos.min_iops);
    qos.max_iops = set.max_iops.unwrap_or(qos.max_iops);
    qos.burst_iops = set.burst_iops.unwrap_or(qos.burst_iops);
    qos.burst_seconds = set.burst_time.unwrap_or(qos.burst_seconds);
    let limits = Limits::CURRENT;
    let is_within = (limits.volume_min_iops_min..=limits.volume_min_iops_max).contains(&qos.min_iops)
        && (limits.volume_max_iops_min..=limits.volume_max_iops_max).contains(&qos.max_iops)
        && (limits.volume_burst_iops_min..=limits.volume_burst_iops_max).contains(&qos.burst_iops);
    if !is_within {
        return Err(ApiError::new(ErrorName::ExceededLimit, "parameter `qos` is outside of what GetLimits tells"));
    }
    if qos.min_iops > qos.max_iops || qos.max_iops > qos.burst_iops {
        return Err(ApiError::new(ErrorName::InvalidParameter, "parameter `qos` needs minIOPS ≤ maxIOPS ≤ burstIOPS"));
    }
    Ok(qos)
}
