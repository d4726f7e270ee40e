//! What the control plane needs of the data path for volumes that lie anywhere: at places of their own, with headers of
//! their own.

use std::path::Path;

use keywrap::keys::{KeyId, KeyslotKey};
use keywrap::secret::SecretBytes;
use uuid::Uuid;

use super::{HostError, WrappingKey};
use crate::records::Site;

/// A volume that is to be made at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPlaced {
    /// The UUID that its header is to have.
    pub uuid: Uuid,
    /// Where.
    pub site: Site,
    /// Bytes of plaintext; what there is room for when it is not given.
    pub size: Option<u64>,
    /// Bytes of a sector: 512, 1024, 2048 or 4096; 4096 when it is not given.
    pub sector_size: Option<u32>,
    /// The label in its header.
    pub label: Option<String>,
    /// Destroy what is there.
    pub overwrite: bool,
}

/// A LUKS2 volume that was found at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its place as it is to be remembered.
    pub site: Site,
    /// The UUID in its header.
    pub uuid: Uuid,
    /// Bytes of plaintext.
    pub size: u64,
    /// Bytes of a sector.
    pub sector_size: u32,
    /// The master keys that its header names.
    pub keys: Vec<KeyId>,
}

/// A passphrase that is to open a volume.
pub struct NewPassphrase {
    /// Byte for byte.
    pub passphrase: SecretBytes,
    /// Stretched by PBKDF2 in the place of Argon2id.
    pub pbkdf2: bool,
    /// In the place of every other passphrase.
    pub replaces: bool,
}

/// The keyslots that a change of passphrases was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedPassphrases {
    /// What the new one opens.
    pub keyslot: u32,
    /// What the old ones opened.
    pub removed: Vec<u32>,
}

/// The part of the data path for volumes outside of the data directory. Where one lies is told before anything else is asked
/// about it; a volume of which nothing was told lies in the data directory.
pub trait HostPlaces {
    /// From now on, and for as long as this process lives, the volume lies there.
    fn place(&self, uuid: Uuid, site: &Site);

    /// Whether a volume may be made there, and its place as it is to be remembered. Nothing is changed.
    ///
    /// # Errors
    /// `Occupied` when something is there that may not be overwritten, `Unfit` when the size does not fit, `Outside`.
    fn check_ground(&self, new: &NewPlaced) -> Result<Site, HostError>;

    /// Makes it, wrapped by `key`, durable when this returns. What is cut short leaves nothing that looks like this volume.
    ///
    /// # Errors
    /// As [`Self::check_ground`], and `Full`.
    fn create_at(&self, new: &NewPlaced, key: WrappingKey<'_>) -> Result<(), HostError>;

    /// Removes files that [`Self::create_at`] had begun and given no name yet. What has its name is not touched.
    ///
    /// # Errors
    /// When one is there and cannot be removed.
    fn discard(&self, uuid: Uuid) -> Result<(), HostError>;

    /// The volume at a place, whichever it is.
    ///
    /// # Errors
    /// `Absent` when there is none, `Outside`.
    fn find(&self, site: &Site) -> Result<Found, HostError>;

    /// Whether the two are the same files or devices, whatever they are called.
    fn is_same_place(&self, one: &Site, other: &Site) -> bool {
        one == other
    }

    /// Adds a keyslot under `key` to a volume that the passphrase opens, durable when this returns.
    ///
    /// # Errors
    /// `WrongKey` for the passphrase; any other kind.
    fn adopt(&self, uuid: Uuid, passphrase: &SecretBytes, key: WrappingKey<'_>) -> Result<(), HostError>;

    /// Adds a passphrase to a volume that `key` opens, and removes the others if that is wished, once it is durable.
    ///
    /// # Errors
    /// Any kind.
    fn add_passphrase(
        &self,
        uuid: Uuid,
        key: WrappingKey<'_>,
        new: &NewPassphrase,
    ) -> Result<ChangedPassphrases, HostError>;

    /// The key of the volume's keyslot under `key`: with it `cryptsetup` opens the volume.
    ///
    /// # Errors
    /// Any kind.
    fn keyslot_key(&self, uuid: Uuid, key: WrappingKey<'_>) -> Result<KeyslotKey, HostError>;

    /// Puts a backup of its header back onto a volume that is not open. With `force` also where its header is damaged.
    ///
    /// # Errors
    /// `InUse` when it is open; `Absent` when the backup is none of this volume; any other kind.
    fn restore_header(&self, uuid: Uuid, backup: &Path, force: bool) -> Result<(), HostError>;

    /// Whether its files or devices are there.
    fn is_present(&self, uuid: Uuid) -> bool;

    /// Bytes of plaintext of a volume that is open.
    fn size(&self, uuid: Uuid) -> Option<u64>;

    /// Where clients find an export.
    fn uris(&self, export: &str) -> Vec<String>;
}
