//! Deleting volumes, which keeps them, and purging them, which destroys their keys.

use super::show;
use crate::cluster::control::ClusterControl;
use crate::cluster::errors::{of_host, of_record};
use crate::records::{self, VolumeStatus};
use crate::rekey::rotation::DAY;
use crate::rpc::control::Outcome;
use crate::rpc::types::limits::BULK_VOLUMES_MAX;
use crate::rpc::types::volumes::{DeleteVolumes, Volume};
use crate::rpc::{ApiError, ErrorName};
use crate::time::UnixSeconds;

impl ClusterControl {
    /// Nobody is served any more; data and keys stay. A repeat changes nothing.
    pub(super) fn delete(&self, id: records::VolumeId) -> Outcome<Volume> {
        let _turn = self.turns.take(self.record_of(id)?.uuid);
        let volume = self.record_of(id)?;
        if volume.status != VolumeStatus::Active {
            return Ok(show::volume(volume));
        }
        self.close(&volume)?;
        let now = self.now();
        // A time to purge that is that of the deletion stands for none.
        let purge = self.config.purge_after.map_or(now, |after| UnixSeconds(now.0.saturating_add(after.as_secs())));
        let gone = VolumeStatus::Deleted { at: now, purge };
        let after = self.records.table::<records::Volume>().update(id, |volume| volume.status = gone);
        let after = after.map_err(of_record)?;
        self.changed(&format!("Volume {id} was deleted."))?;
        Ok(show::volume(after))
    }

    /// Destroys the keys of a deleted volume, and forgets it.
    pub(super) fn purge(&self, id: records::VolumeId) -> Outcome<()> {
        let _turn = self.turns.take(self.record_of(id)?.uuid);
        self.purge_now(id)
    }

    /// Purges the deleted volumes whose time has come. One that cannot be purged now is tried again.
    pub(in crate::cluster) fn purge_due(&self) -> Outcome<()> {
        self.date_anew()?;
        let now = self.trusted_now();
        for volume in self.volume_records()?.iter().filter(|volume| is_due(volume, now)) {
            // Somebody works at it; it will still be there a little later.
            let Some(_turn) = self.turns.try_take(volume.uuid) else { continue };
            let known = self.records.table::<records::Volume>().get(volume.id).map_err(of_record)?;
            if !known.is_some_and(|volume| is_due(&volume, now)) {
                continue;
            }
            match self.purge_now(volume.id) {
                Ok(()) => tracing::info!(volume = %volume.id, "a deleted volume was purged: its time was over"),
                Err(error) => tracing::warn!(volume = %volume.id, "a deleted volume is not purged yet: {error}"),
            }
        }
        Ok(())
    }

    /// Volumes whose deletion is a day and more to come, by a clock that was set back since: their time begins now.
    fn date_anew(&self) -> Outcome<()> {
        let now = self.now();
        let is_ahead = |status| matches!(status, VolumeStatus::Deleted { at, .. } if at.0 > now.0.saturating_add(DAY));
        for volume in self.volume_records()?.into_iter().filter(|volume| is_ahead(volume.status)) {
            let anew = |volume: &mut records::Volume| {
                if let VolumeStatus::Deleted { at, purge } = volume.status
                    && at > now
                {
                    let purge = UnixSeconds(now.0.saturating_add(purge.0.saturating_sub(at.0)));
                    volume.status = VolumeStatus::Deleted { at: now, purge };
                }
            };
            self.records.table::<records::Volume>().update(volume.id, anew).map_err(of_record)?;
        }
        Ok(())
    }

    /// The caller has its turn. Its record has no path from the first step on, so that a start after a crash ends it.
    fn purge_now(&self, id: records::VolumeId) -> Outcome<()> {
        let volume = self.records.table::<records::Volume>().update(id, |volume| volume.path = None);
        self.erase_for_good(&volume.map_err(of_record)?)?;
        self.changed(&format!("Volume {id} was purged."))
    }

    /// Closes a volume and keeps what it did. The caller has its turn.
    pub(in crate::cluster) fn close(&self, volume: &records::Volume) -> Outcome<()> {
        let last = self.host.stats(volume.uuid);
        self.host.close(volume.uuid).map_err(of_host)?;
        self.keep_last(volume.id, last)
    }

    /// The volumes that a bulk call means: deleted ones, or those that are not. Named ones must exist.
    pub(super) fn selected(&self, which: &DeleteVolumes, deleted: bool) -> Outcome<Vec<records::Volume>> {
        if let Some(ids) = &which.volumes {
            return ids.iter().map(|id| self.volume_record(*id)).collect();
        }
        let accounts = which.accounts.clone().unwrap_or_default();
        let mut volumes = self.volume_records()?;
        volumes.retain(|volume| accounts.iter().any(|account| account.0 == volume.account));
        volumes
            .retain(|volume| (volume.status != VolumeStatus::Active) == deleted && (deleted || volume.path.is_some()));
        if volumes.len() > BULK_VOLUMES_MAX {
            let message = format!("{} volumes are more than {BULK_VOLUMES_MAX}", volumes.len());
            return Err(ApiError::new(ErrorName::ExceededLimit, message));
        }
        Ok(volumes)
    }

    fn record_of(&self, id: records::VolumeId) -> Outcome<records::Volume> {
        self.records.table().need(id).map_err(of_record)
    }
}

/// When a deleted volume is purged, if it is.
pub(super) fn purge_time(status: VolumeStatus) -> Option<UnixSeconds> {
    match status {
        VolumeStatus::Deleted { at, purge } if purge > at => Some(purge),
        VolumeStatus::Deleted { .. } | VolumeStatus::Active => None,
    }
}

fn is_due(volume: &records::Volume, now: UnixSeconds) -> bool {
    volume.path.is_some() && purge_time(volume.status).is_some_and(|purge| purge <= now)
}

pub(super) fn must_be_deleted(volume: &records::Volume) -> Outcome<()> {
    if matches!(volume.status, VolumeStatus::Deleted { .. }) {
        return Ok(());
    }
    let message = format!("volume {} is not deleted; call DeleteVolume first", volume.id);
    Err(ApiError::new(ErrorName::VolumeNotDeleted, message))
}
