//! Volumes: recorded here, real behind [`VolumeHost`](crate::cluster::VolumeHost).
//!
//! ```text
//! create   record without a path ─▶ host: make ─▶ host: open ─▶ record with its path
//! purge    record without a path ─▶ host: erase ─▶ no record
//! ```
//! A record without a path is nothing that anybody was told of, or nothing that is wanted any more: the next start erases
//! what it stands for. A change of size or access is recorded first, and an opened volume becomes what its record says;
//! every other change happens at the host first and is then recorded. All may be repeated.

mod change;
mod create;
mod remove;
mod show;
mod stats;
mod turns;

pub(super) use create::{check_account, default_qos};
pub(super) use turns::Turns;

use super::control::ClusterControl;
use super::errors::{of_host, of_record};
use super::host::Offer;
use super::keys::Owned;
use crate::records::{self, Access, VolumeStatus};
use crate::rpc::control::{Outcome, Volumes};
use crate::rpc::types::VolumeId;
use crate::rpc::types::volumes::{CreateVolume, DeleteVolumes, ListVolumes, ModifyVolume, PurgeVolumes, Volume};
use crate::rpc::{ApiError, ErrorName};

impl Volumes for ClusterControl {
    fn volumes(&self, filter: &ListVolumes) -> Outcome<Vec<Volume>> {
        let limit = filter.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        let shown = self.volume_records()?.into_iter().filter(|volume| !is_going(volume)).map(show::volume);
        Ok(shown.filter(|volume| filter.matches(volume)).take(limit).collect())
    }

    fn create_volume(&self, new: CreateVolume) -> Outcome<Volume> {
        self.create(new)
    }

    fn modify_volume(&self, change: ModifyVolume) -> Outcome<Volume> {
        self.modify(change)
    }

    fn delete_volume(&self, id: VolumeId) -> Outcome<Volume> {
        self.delete(self.volume_record(id)?.id)
    }

    fn delete_volumes(&self, which: &DeleteVolumes) -> Outcome<Vec<Volume>> {
        self.selected(which, false)?.into_iter().map(|volume| self.delete(volume.id)).collect()
    }

    fn purge_volume(&self, id: VolumeId) -> Outcome<()> {
        let volume = self.volume_record(id)?;
        remove::must_be_deleted(&volume)?;
        self.purge(volume.id)
    }

    fn purge_volumes(&self, which: &PurgeVolumes) -> Outcome<()> {
        let volumes = self.selected(which, true)?;
        volumes.iter().try_for_each(remove::must_be_deleted)?;
        volumes.iter().try_for_each(|volume| self.purge(volume.id))
    }
}

impl ClusterControl {
    pub(super) fn volume_records(&self) -> Outcome<Vec<records::Volume>> {
        self.records.table().list().map_err(of_record)
    }

    pub(super) fn volume_record(&self, id: VolumeId) -> Outcome<records::Volume> {
        let known: records::Volume = self.records.table().need(records::VolumeId(id.0)).map_err(of_record)?;
        if known.path.is_some() || matches!(known.status, VolumeStatus::Deleted { .. }) {
            return Ok(known);
        }
        Err(ApiError::new(ErrorName::VolumeDoesNotExist, format!("volume {id} is still being made")))
    }

    /// Does something with a key that opens the volume: one of those that its header names. Not each of them need open it:
    /// a rekey that was cut may have left one whose keyslot is overwritten already.
    pub(super) fn with_key_of<T>(&self, volume: &records::Volume, work: impl Fn(&Owned) -> Outcome<T>) -> Outcome<T> {
        let ids = self.host.key_ids(volume.uuid).map_err(of_host)?;
        let mut failure = ApiError::new(ErrorName::KeyUnavailable, format!("volume {} names no master key", volume.id));
        for id in ids {
            match self.master_key(id).and_then(|key| work(&key)) {
                Ok(done) => return Ok(done),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Opens a volume and exports it as its record says. The caller has the volume's turn.
    pub(super) fn open(&self, volume: &records::Volume, key: &Owned) -> Outcome<()> {
        let Some(offer) = offer(volume) else { return Ok(()) };
        self.host.open(volume.uuid, &export_name(volume), offer, key.wrapping()).map_err(of_host)?;
        // What lies on a medium of its own may have grown with it.
        if let Some(size) = self.host.size(volume.uuid).filter(|size| volume.site.is_some() && *size > volume.size) {
            let grown = self.records.table::<records::Volume>().update(volume.id, |volume| volume.size = size);
            return grown.map(drop).map_err(of_record);
        }
        // A crash may have come between the record of a larger size and the size.
        if let Err(error) = self.host.grow(volume.uuid, volume.size, key.wrapping()) {
            tracing::warn!(volume = %volume.uuid, "the volume is open with another size than the recorded one: {error}");
        }
        Ok(())
    }
}

/// How a volume is offered; `None` when it is not.
pub(super) fn offer(volume: &records::Volume) -> Option<Offer> {
    match (volume.status, volume.access) {
        (VolumeStatus::Active, Access::ReadWrite) => Some(Offer::ReadWrite),
        (VolumeStatus::Active, Access::ReadOnly) => Some(Offer::ReadOnly),
        _ => None,
    }
}

/// `<name>.<id>`, the name reduced to letters, digits, `-`, `_` and `.`: names may repeat, exports may not.
pub(super) fn export_name(volume: &records::Volume) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    format!("{}.{}", volume.name.chars().map(plain).collect::<String>(), volume.id)
}

/// Whether a volume is being purged.
fn is_going(volume: &records::Volume) -> bool {
    volume.path.is_none() && volume.status != VolumeStatus::Active
}
