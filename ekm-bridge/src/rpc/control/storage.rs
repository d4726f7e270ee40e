//! Drives, volumes and what they did.

use super::Outcome;
use crate::rpc::types::drives::{DriveInfo, NewDrive, ResetDrive};
use crate::rpc::types::stats::VolumeStats;
use crate::rpc::types::volumes::{CreateVolume, DeleteVolumes, ListVolumes, ModifyVolume, PurgeVolumes, Volume};
use crate::rpc::types::{AsyncHandleId, DriveId, VolumeId};

/// Drives. All drives of one call are taken or none is.
pub trait Drives {
    /// All drives, in the order of their ids.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn drives(&self) -> Outcome<Vec<DriveInfo>>;

    /// Puts available drives to use; a handle when there is something to wait for.
    ///
    /// # Errors
    /// `xDriveIDDoesNotExist`, `xDriveNotAvailable`.
    fn add_drives(&self, drives: &[NewDrive]) -> Outcome<Option<AsyncHandleId>>;

    /// Takes active or failed drives out of use.
    ///
    /// # Errors
    /// `xDriveIDDoesNotExist`, `xDriveNotAvailable`.
    fn remove_drives(&self, drives: &[DriveId]) -> Outcome<AsyncHandleId>;

    /// Destroys the keys of available drives.
    ///
    /// # Errors
    /// `xDriveIDDoesNotExist`, `xDriveNotAvailable`.
    fn erase_drives(&self, drives: &[DriveId]) -> Outcome<AsyncHandleId>;

    /// Resets drives of this node by device name.
    ///
    /// # Errors
    /// `xAPINotPermitted` where there is nothing to reset.
    fn reset_drives(&self, names: &[String]) -> Outcome<Vec<ResetDrive>>;
}

/// Volumes.
pub trait Volumes {
    /// Volumes that [`ListVolumes::matches`], in the order of their ids, at most `limit`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn volumes(&self, filter: &ListVolumes) -> Outcome<Vec<Volume>>;

    /// Makes a volume, its size rounded up.
    ///
    /// # Errors
    /// `xExceededLimit`, `xAccountIDDoesNotExist`, `xQoSPolicyDoesNotExist`, `xAPINotPermitted` for what does not
    /// exist here.
    fn create_volume(&self, new: CreateVolume) -> Outcome<Volume>;

    /// Changes a volume.
    ///
    /// # Errors
    /// `xVolumeIDDoesNotExist`, `xInvalidParameter` when it would shrink, and as [`Self::create_volume`].
    fn modify_volume(&self, change: ModifyVolume) -> Outcome<Volume>;

    /// Deletes a volume: nobody is served any more, its data stays until it is purged.
    ///
    /// # Errors
    /// `xVolumeIDDoesNotExist`.
    fn delete_volume(&self, id: VolumeId) -> Outcome<Volume>;

    /// Deletes several; which `which` says by exactly one list of at most 500 entries.
    ///
    /// # Errors
    /// As [`Self::delete_volume`], before any is deleted; `xExceededLimit` when the list stands for more than 500.
    fn delete_volumes(&self, which: &DeleteVolumes) -> Outcome<Vec<Volume>>;

    /// Destroys the keys of a deleted volume and forgets it.
    ///
    /// # Errors
    /// `xVolumeIDDoesNotExist`, `xVolumeNotDeleted`.
    fn purge_volume(&self, id: VolumeId) -> Outcome<()>;

    /// The same of several; which `which` says by exactly one list of at most 500 entries.
    ///
    /// # Errors
    /// As [`Self::purge_volume`], before any is purged; `xExceededLimit` when the list stands for more than 500.
    fn purge_volumes(&self, which: &PurgeVolumes) -> Outcome<()>;
}

/// What volumes did.
pub trait VolumeStatistics {
    /// Of one volume.
    ///
    /// # Errors
    /// `xVolumeIDDoesNotExist`.
    fn volume_stats(&self, id: VolumeId) -> Outcome<VolumeStats>;

    /// Of these volumes or of all, in the order of their ids.
    ///
    /// # Errors
    /// `xVolumeIDDoesNotExist`.
    fn all_volume_stats(&self, volumes: Option<&[VolumeId]>) -> Outcome<Vec<VolumeStats>>;
}
