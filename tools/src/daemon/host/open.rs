//! A volume that is open, and how it grows.

use std::fs::File;
use std::sync::Arc;

use datapath::backend::file::FileBackend;
use datapath::cipher::dispatch::Engine;
use datapath::export::nbd::Export;
use datapath::volume::{DiskOptions, Volume};
use ekm_bridge::cluster::{HostError, HostErrorKind, Offer, WrappingKey};
use keywrap::geometry::{ByteLen, DataSegment};
use keywrap::keys::{KeyId, MasterKey, VolumeKey};
use keywrap::volume::{Opened, rewrap_open, unlock_with_master};
use uuid::Uuid;

use super::counts::Counts;
use super::error::{ensure, failed, of_file, of_volume};
use crate::backing::{Backing, release};
use crate::error::Error;

/// An open volume.
pub(super) struct OpenVolume {
    /// The name of its export.
    pub(super) name: String,
    offer: Offer,
    /// The disk of plaintext.
    pub(super) volume: Arc<Volume>,
    /// Beside the cipher, so that the volume can be wrapped by a new master key when the old one is lost.
    volume_key: VolumeKey,
    segment: DataSegment,
    /// What it did before, when it was only offered in another way.
    pub(super) carried: Counts,
    /// Keeps the claim, and sets the length.
    file: File,
}

impl OpenVolume {
    /// Unlocks a volume.
    pub(super) fn open(
        backing: Backing,
        name: &str,
        offer: Offer,
        key: WrappingKey<'_>,
        (engine, carried): (Engine, Counts),
    ) -> Result<Self, HostError> {
        let Opened { segment, volume_key, allow_discards, .. } = unlock(&backing, key)?;
        let file = backing.file.try_clone().map_err(failed("no descriptor is left".to_owned()))?;
        let disk = FileBackend::new(backing.file, segment.sector_size, true);
        let disk = disk.map_err(|error| of_file(Error::io("serve", &backing.path)(error)))?;
        let options = DiskOptions {
            engine: Some(engine),
            read_only: offer == Offer::ReadOnly,
            discards: allow_discards,
            strict_alignment: false,
        };
        let volume = Volume::open(Box::new(disk), &volume_key, segment, options);
        let volume = volume.map_err(failed(format!("{} cannot be served", backing.path.display())))?;
        Ok(Self { name: name.to_owned(), offer, volume: Arc::new(volume), volume_key, segment, carried, file })
    }

    /// Whether it is exported like this.
    pub(super) fn is(&self, name: &str, offer: Offer) -> bool {
        self.name == name && self.offer == offer
    }

    /// What it did since it was opened.
    pub(super) fn counts(&self) -> Counts {
        Counts::of(&self.volume.statistics())
    }

    /// What clients are offered.
    pub(super) fn export(&self, uuid: Uuid) -> Export {
        let description = format!("sear volume {uuid}");
        Export { name: self.name.clone(), description, volume: Arc::clone(&self.volume) }
    }

    /// Wraps the volume by `new` with the data key that is here, and removes the keyslot of `old`, whose key may be missing.
    pub(super) fn rewrap(
        &self,
        header: &Backing,
        old: (KeyId, Option<&MasterKey>),
        new: WrappingKey<'_>,
    ) -> Result<(), HostError> {
        rewrap_open(&header.file, header.len, &self.volume_key, old, (new.id, new.key)).map_err(of_volume(&header.path))
    }

    /// Lets others have the file. Nothing may be in flight any more.
    pub(super) fn release(&self) {
        if let Err(error) = release(&self.file) {
            tracing::warn!(%error, "the claim on a closed volume stays until its file is closed");
        }
    }

    /// Gives it another length while it is served.
    pub(super) fn grow(&self, size: u64) -> Result<(), HostError> {
        let now = self.volume.geometry().len.0;
        if size == now {
            return Ok(());
        }
        set_length(&self.file, &self.segment, now, size)?;
        self.volume.resize(ByteLen(size)).map_err(failed("the volume cannot grow".to_owned()))
    }
}

/// Gives a volume another length that nobody serves; the key tells that it is the one that is meant.
pub(super) fn grow_closed(backing: &mut Backing, size: u64, key: WrappingKey<'_>) -> Result<(), HostError> {
    let segment = unlock(backing, key)?.segment;
    set_length(&backing.file, &segment, segment.len.0, size)
}

/// Our own volumes reach to the end of their file, so its length is all there is to change.
fn unlock(backing: &Backing, key: WrappingKey<'_>) -> Result<Opened, HostError> {
    let opened = unlock_with_master(&backing.file, backing.len, key.id, key.key).map_err(of_volume(&backing.path))?;
    let words = || format!("{} has a fixed size in its header, as volumes here have not", backing.path.display());
    ensure(opened.follows_device, HostErrorKind::Failed, words)?;
    Ok(opened)
}

fn set_length(file: &File, segment: &DataSegment, now: u64, size: u64) -> Result<(), HostError> {
    let sector = u64::from(segment.sector_size.bytes());
    let fits = size >= now && size.is_multiple_of(sector);
    ensure(fits, HostErrorKind::Failed, || {
        format!("a volume of {now} bytes cannot get {size}: it only grows, by sectors")
    })?;
    let end = segment.offset.checked_add(size);
    ensure(end.is_some(), HostErrorKind::Full, || format!("no file holds a volume of {size} bytes"))?;
    let set = file.set_len(end.unwrap_or_default()).and_then(|()| file.sync_all());
    set.map_err(failed("the file cannot grow".to_owned()))
}
