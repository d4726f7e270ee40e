//! What the control plane needs of the data path. The two crates do not know each other; the daemon joins them.

mod places;

use std::path::{Path, PathBuf};

use keywrap::keys::{KeyId, MasterKey};
use uuid::Uuid;

pub use places::{ChangedPassphrases, Found, HostPlaces, NewPassphrase, NewPlaced};

/// A master key together with its id.
#[derive(Clone, Copy)]
pub struct WrappingKey<'a> {
    /// Its id.
    pub id: KeyId,
    /// The key.
    pub key: &'a MasterKey,
}

/// A volume that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVolume {
    /// The UUID that its header is to have.
    pub uuid: Uuid,
    /// The name of its export.
    pub name: String,
    /// Bytes of plaintext.
    pub size: u64,
    /// Sectors of 512 bytes in the place of 4096.
    pub small_sectors: bool,
}

/// How a volume is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Read and write.
    ReadWrite,
    /// Read.
    ReadOnly,
}

/// What an open volume has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    /// Reads that ended well.
    pub read_ops: u64,
    /// Bytes that they read.
    pub read_bytes: u64,
    /// Writes that ended well.
    pub write_ops: u64,
    /// Bytes that they wrote.
    pub write_bytes: u64,
    /// Requests that were not whole sectors.
    pub unaligned_reads: u64,
    /// The same of writes.
    pub unaligned_writes: u64,
    /// Requests in flight now.
    pub in_flight: u64,
}

/// The kinds of failure that the control plane tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostErrorKind {
    /// The medium is gone, or is no volume.
    Absent,
    /// The volume does not open with this key.
    WrongKey,
    /// There is no room.
    Full,
    /// Somebody else has the volume open.
    InUse,
    /// Something is there that would be overwritten.
    Occupied,
    /// What was asked for does not fit what is there.
    Unfit,
    /// The path is none that this process may use.
    Outside,
    /// Anything else; the message says it.
    Failed,
}

/// Why the data path did not do as asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    /// What to match on.
    pub kind: HostErrorKind,
    /// What happened and what to do about it.
    pub message: String,
    /// The failure underneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The data path of this node. Every call may block; calls about different volumes may run at the same time. A repeat of
/// any call is success.
pub trait VolumeHost: HostPlaces + Send + Sync {
    /// Makes a volume wrapped by `key`, durable when this returns; nothing is left of one that could not be made.
    ///
    /// # Errors
    /// Any kind but `WrongKey`.
    fn create(&self, new: &NewVolume, key: WrappingKey<'_>) -> Result<PathBuf, HostError>;

    /// Opens a volume with `key` and exports it as `name`, or changes how an open one is exported.
    ///
    /// # Errors
    /// Any kind.
    fn open(&self, uuid: Uuid, name: &str, offer: Offer, key: WrappingKey<'_>) -> Result<(), HostError>;

    /// Ends the export after a last flush, and forgets the volume's key.
    ///
    /// # Errors
    /// `Failed` when what was written could not be brought to the medium.
    fn close(&self, uuid: Uuid) -> Result<(), HostError>;

    /// Gives a volume another, larger size, also while it is open. With its present size nothing happens.
    ///
    /// # Errors
    /// Any kind.
    fn grow(&self, uuid: Uuid, size: u64, key: WrappingKey<'_>) -> Result<(), HostError>;

    /// Destroys every keyslot of a volume that is not open, then removes its file in the data directory. At a place of its
    /// own the file or device stays.
    ///
    /// # Errors
    /// `InUse`, or `Failed` when the keyslots may still be there; `Absent` when a place of its own does not hold it.
    fn erase(&self, uuid: Uuid) -> Result<(), HostError>;

    /// The master keys that the volume's header names, read from the medium.
    ///
    /// # Errors
    /// Any kind but `WrongKey`.
    fn key_ids(&self, uuid: Uuid) -> Result<Vec<KeyId>, HostError>;

    /// Wraps the volume's key by `new` in the place of `old`: at every moment one of the two opens it. It returns when
    /// the header on the medium opens with `new` and no longer names `old`.
    ///
    /// # Errors
    /// Any kind; the volume opens with at least one of the keys.
    fn rewrap(&self, uuid: Uuid, old: WrappingKey<'_>, new: WrappingKey<'_>) -> Result<(), HostError>;

    /// The same for a volume that is open, with the data key that its cipher has: `old` is not to be had any more.
    ///
    /// # Errors
    /// `Absent` when the volume is not open; any other kind: the header names what it named.
    fn rewrap_open(&self, uuid: Uuid, old: KeyId, new: WrappingKey<'_>) -> Result<(), HostError>;

    /// Where the backup `id` of a volume's header would be.
    fn backup_path(&self, uuid: Uuid, id: Uuid) -> PathBuf;

    /// Copies the header of a volume to a new file there, durable when this returns. Whoever has it can open the volume with
    /// every key that opens it now.
    ///
    /// # Errors
    /// Any kind but `WrongKey`; a file may be left, for [`Self::erase_backup`].
    fn back_up_header(&self, uuid: Uuid, path: &Path) -> Result<(), HostError>;

    /// The master keys that a backup of the volume's header names.
    ///
    /// # Errors
    /// `Absent` when it is not there, or is no backup of this volume.
    fn backup_key_ids(&self, uuid: Uuid, path: &Path) -> Result<Vec<KeyId>, HostError>;

    /// [`Self::rewrap`] in a backup of the volume's header.
    ///
    /// # Errors
    /// Any kind.
    fn rewrap_backup(
        &self,
        uuid: Uuid,
        path: &Path,
        old: WrappingKey<'_>,
        new: WrappingKey<'_>,
    ) -> Result<(), HostError>;

    /// Destroys every keyslot in a backup of the volume's header, then removes the file.
    ///
    /// # Errors
    /// `Absent` when it is not there; `Failed` when the keyslots may still be.
    fn erase_backup(&self, uuid: Uuid, path: &Path) -> Result<(), HostError>;

    /// Whether the volume is open.
    fn is_open(&self, uuid: Uuid) -> bool;

    /// What an open volume did; `None` when it is not open.
    fn stats(&self, uuid: Uuid) -> Option<HostStats>;
}
