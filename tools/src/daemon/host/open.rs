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
use keywrap::medium::Medium;
use keywrap::volume::{Opened, rewrap_open, unlock_with_master};
use uuid::Uuid;

use super::counts::Counts;
use super::error::{ensure, failed, of_file, of_volume};
use crate::backing::release;
use crate::error::Error;
use crate::lock::VolumeLock;
use crate::volume::Places;

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
    /// Whether the segment reaches to the end of its file or device.
    follows_device: bool,
    /// Keeps the claim, and sets the length.
    file: File,
    /// Keeps the claim on a header that lies apart from the data.
    header: Option<File>,
    /// Keeps away a server that this node runs for the volume alone.
    _lock: Option<VolumeLock>,
}

impl OpenVolume {
    /// Unlocks a volume.
    pub(super) fn open(
        places: Places,
        _lock: Option<VolumeLock>,
        name: &str,
        offer: Offer,
        key: WrappingKey<'_>,
        (engine, carried): (Engine, Counts),
    ) -> Result<Self, HostError> {
        let Opened { segment, volume_key, allow_discards, follows_device, .. } = unlock(&places, key)?;
        let Places { data: backing, header } = places;
        let header = header.map(|header| header.file);
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
        let (name, volume) = (name.to_owned(), Arc::new(volume));
        Ok(Self { name, offer, volume, volume_key, segment, carried, follows_device, file, header, _lock })
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
        at: &Places,
        old: (KeyId, Option<&MasterKey>),
        new: WrappingKey<'_>,
    ) -> Result<(), HostError> {
        rewrap_open(at.header(), at.data.len, &self.volume_key, old, (new.id, new.key))
            .map_err(of_volume(at.header_path()))
    }

    /// Lets others have the file. Nothing may be in flight any more.
    pub(super) fn release(&self) {
        for file in [Some(&self.file), self.header.as_ref()].into_iter().flatten() {
            if let Err(error) = release(file) {
                tracing::warn!(%error, "the claim on a closed volume stays until its file is closed");
            }
        }
    }

    /// Gives it another length while it is served.
    pub(super) fn grow(&self, size: u64) -> Result<(), HostError> {
        let now = self.volume.geometry().len.0;
        if size == now {
            return Ok(());
        }
        ensure(self.follows_device, HostErrorKind::Unfit, fixed)?;
        set_length(&self.file, &self.segment, now, size)?;
        self.volume.resize(ByteLen(size)).map_err(failed("the volume cannot grow".to_owned()))
    }
}

/// Gives a volume another length that nobody serves; the key tells that it is the one that is meant.
pub(super) fn grow_closed(places: &Places, size: u64, key: WrappingKey<'_>) -> Result<(), HostError> {
    let opened = unlock(places, key)?;
    if size == opened.segment.len.0 {
        return Ok(());
    }
    ensure(opened.follows_device, HostErrorKind::Unfit, fixed)?;
    set_length(&places.data.file, &opened.segment, opened.segment.len.0, size)
}

fn fixed() -> String {
    "its header gives the volume a fixed size".to_owned()
}

/// Opens it with a master key.
pub(super) fn unlock(places: &Places, key: WrappingKey<'_>) -> Result<Opened, HostError> {
    unlock_with_master(places.header(), places.data.len, key.id, key.key).map_err(of_volume(places.header_path()))
}

/// A volume that follows its file or device is as long as that: so there is nothing else to change.
fn set_length(file: &File, segment: &DataSegment, now: u64, size: u64) -> Result<(), HostError> {
    let sector = u64::from(segment.sector_size.bytes());
    let fits = size >= now && size.is_multiple_of(sector);
    ensure(fits, HostErrorKind::Unfit, || {
        format!("a volume of {now} bytes cannot get {size}: it only grows, by sectors")
    })?;
    let end = segment.offset.checked_add(size);
    ensure(end.is_some(), HostErrorKind::Full, || format!("no file holds a volume of {size} bytes"))?;
    let end = end.unwrap_or_default();
    if !file.metadata().map_err(failed("the file cannot be looked at".to_owned()))?.is_file() {
        let has = Medium::len(file).map_err(failed("the block device cannot be measured".to_owned()))?;
        return ensure(has >= end, HostErrorKind::Unfit, || {
            "the block device is too short; grow that first".to_owned()
        });
    }
    let set = file.set_len(end).and_then(|()| file.sync_all());
    set.map_err(failed("the file cannot grow".to_owned()))
}
