//! Volumes that lie anywhere, their passphrases and their headers: ours, not Element's.

use super::Outcome;
use crate::rpc::types::VolumeId;
use crate::rpc::types::places::{
    AddPassphrase, AdoptVolume, CreateVolumeAt, ExportedKey, PassphraseAdded, PlacedVolume, RestoreHeader,
};

/// Where volumes lie, and what is done to them there.
pub trait Places {
    /// Makes a volume at a place.
    ///
    /// # Errors
    /// `xPlaceOccupied`, `xPlaceNotPermitted`, `xInvalidParameter` when the size does not fit, and as
    /// [`super::Volumes::create_volume`].
    fn create_volume_at(&self, new: CreateVolumeAt) -> Outcome<PlacedVolume>;

    /// Takes on a LUKS2 volume that is there; one that is known already is no error.
    ///
    /// # Errors
    /// `xPassphraseWrong`; `xKeyUnavailable` without a passphrase when no master key here opens it; `xVolumeUnavailable`
    /// when there is no volume; `xVolumeInUse`, `xPlaceNotPermitted`, `xPlaceOccupied` for a copy of a known volume.
    fn adopt_volume(&self, order: AdoptVolume) -> Outcome<PlacedVolume>;

    /// Every volume, also those in the data directory, in the order of their ids.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn volume_places(&self) -> Outcome<Vec<PlacedVolume>>;

    /// Adds a passphrase to a volume.
    ///
    /// # Errors
    /// `xVolumeIDDoesNotExist`, `xKeyUnavailable`, `xVolumeUnavailable`.
    fn add_passphrase(&self, order: AddPassphrase) -> Outcome<PassphraseAdded>;

    /// The key of the keyslot that a master key opens.
    ///
    /// # Errors
    /// As [`Self::add_passphrase`].
    fn export_key(&self, id: VolumeId) -> Outcome<ExportedKey>;

    /// Puts a backup of its header back onto a volume, which is not served meanwhile.
    ///
    /// # Errors
    /// `xVolumeIDDoesNotExist`; `xVolumeUnavailable` when the file is no backup of this volume, or without `force` the
    /// header there is damaged.
    fn restore_header(&self, order: &RestoreHeader) -> Outcome<PlacedVolume>;
}
