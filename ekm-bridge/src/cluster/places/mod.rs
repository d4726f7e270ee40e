//! Volumes that lie anywhere: made at a path, adopted, or taken over from a node that had no cluster.
//!
//! ```text
//! create    record without a path ─▶ host: make, the header last ─▶ host: open ─▶ record with its path
//! adopt     record without a path, its header's record names what it will ─▶ host: add a keyslot ─▶ open ─▶ with its path
//! ```
//! A record without a path of a volume that nobody deleted is *settled*, after a failure and at the next start: when the
//! header at its place has its UUID and names a key of the ledger, it has become a volume; else it is forgotten. Nothing at
//! a place of a volume's own is ever erased but by a purge.

mod adopt;
mod change;
mod create;
mod settle;
mod show;
mod take_over;

use std::path::PathBuf;

use super::control::ClusterControl;
use super::errors::of_record;
use crate::records::{self, Site};
use crate::rpc::control::{Outcome, Places};
use crate::rpc::types::VolumeId;
use crate::rpc::types::places::{
    AddPassphrase, AdoptVolume, CreateVolumeAt, ExportedKey, PassphraseAdded, PlacedVolume, RestoreHeader,
};
use crate::rpc::{ApiError, ErrorName};

impl Places for ClusterControl {
    fn create_volume_at(&self, new: CreateVolumeAt) -> Outcome<PlacedVolume> {
        self.create_at(new)
    }

    fn adopt_volume(&self, order: AdoptVolume) -> Outcome<PlacedVolume> {
        self.adopt(order)
    }

    fn volume_places(&self) -> Outcome<Vec<PlacedVolume>> {
        self.all_places()
    }

    fn add_passphrase(&self, order: AddPassphrase) -> Outcome<PassphraseAdded> {
        self.new_passphrase(order)
    }

    fn export_key(&self, id: VolumeId) -> Outcome<ExportedKey> {
        self.keyslot_key_of(id)
    }

    fn restore_header(&self, order: &RestoreHeader) -> Outcome<PlacedVolume> {
        self.bring_header_back(order)
    }
}

impl ClusterControl {
    /// Tells the data path where volumes lie that are not in its directory.
    pub(super) fn tell_places(&self) -> Outcome<()> {
        for volume in self.volume_records()? {
            if let Some(site) = &volume.site {
                self.host.place(volume.uuid, site);
            }
        }
        Ok(())
    }

    /// The volume with this UUID, if there is one.
    fn volume_with(&self, uuid: uuid::Uuid) -> Outcome<Option<records::Volume>> {
        let known = self.records.table().find(records::volumes::index::UUID, &uuid.to_string()).map_err(of_record)?;
        Ok(known.into_iter().next())
    }
}

/// The place that is asked for.
fn site_of(path: &str, header: Option<&str>) -> Outcome<Site> {
    let absolute = |name: &str, text: &str| {
        let path = PathBuf::from(text);
        let relative = || ApiError::new(ErrorName::InvalidParameter, format!("parameter `{name}` is no absolute path"));
        path.is_absolute().then_some(path).ok_or_else(relative)
    };
    Ok(Site { data: absolute("path", path)?, header: header.map(|path| absolute("headerPath", path)).transpose()? })
}
