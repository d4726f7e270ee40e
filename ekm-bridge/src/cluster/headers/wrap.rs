//! Bringing one header to a new master key.

use std::collections::BTreeSet;
use std::path::Path;

use keywrap::keys::KeyId;

use super::Read;
use crate::cluster::control::ClusterControl;
use crate::cluster::errors::{of_host, of_record};
use crate::cluster::keys::Owned;
use crate::records::{self, Header, Place};
use crate::rpc::control::Outcome;
use crate::rpc::{ApiError, ErrorName};

impl ClusterControl {
    /// Wraps what `header` stands for by `new` alone, and reads it back from its medium. A volume that is being made or
    /// erased is left as it is.
    pub(super) fn wrap(&self, header: &Header, new: &Owned) -> Read {
        let _turn = self.turns.take(header.id);
        match &header.place {
            Place::Volume => self.wrap_volume(header, new),
            Place::Backup { path, .. } => self.wrap_backup(header, path, new),
        }
    }

    fn wrap_volume(&self, header: &Header, new: &Owned) -> Read {
        let volume = self.records.table::<records::Volume>().get(header.volume).map_err(of_record)?;
        if volume.is_none_or(|volume| volume.path.is_none()) {
            return Ok(None);
        }
        let from = |old: KeyId| {
            match self.master_key(old) {
                Ok(old) => self.host.rewrap(header.id, old.wrapping(), new.wrapping()),
                // The old key is not to be had. The data key is, beside the cipher of an open volume.
                Err(_) if self.host.is_open(header.id) => self.host.rewrap_open(header.id, old, new.wrapping()),
                Err(error) => return Err(error),
            }
            .map_err(of_host)
        };
        each(others(self.host.key_ids(header.id).map_err(of_host)?, new.id)?, from)?;
        on_new(self.host.key_ids(header.id).map_err(of_host)?, new.id)
    }

    fn wrap_backup(&self, header: &Header, path: &Path, new: &Owned) -> Read {
        let from = |old: KeyId| {
            let old = self.master_key(old)?;
            self.host.rewrap_backup(header.volume_uuid, path, old.wrapping(), new.wrapping()).map_err(of_host)
        };
        each(others(self.host.backup_key_ids(header.volume_uuid, path).map_err(of_host)?, new.id)?, from)?;
        on_new(self.host.backup_key_ids(header.volume_uuid, path).map_err(of_host)?, new.id)
    }

    /// Reads what `header` stands for; only a look.
    pub(in crate::cluster) fn look_at(&self, header: &Header) -> Read {
        let ids = match &header.place {
            Place::Volume => self.host.key_ids(header.id),
            Place::Backup { path, .. } => self.host.backup_key_ids(header.volume_uuid, path),
        };
        Ok(Some(ids.map_err(of_host)?.into_iter().collect()))
    }
}

/// The keys that have to go.
fn others(ids: Vec<KeyId>, new: KeyId) -> Outcome<Vec<KeyId>> {
    if ids.is_empty() {
        return Err(ApiError::new(ErrorName::VolumeUnavailable, "its header names no master key"));
    }
    Ok(ids.into_iter().filter(|id| *id != new).collect())
}

/// Moves the header from each of these keys. One that no longer opens it, because a rekey was cut after its keyslot was
/// overwritten, can go once another one has brought in the new key.
fn each(mut old: Vec<KeyId>, from: impl Fn(KeyId) -> Outcome<()>) -> Outcome<()> {
    loop {
        let (before, mut failure) = (old.len(), None);
        old.retain(|id| from(*id).map_err(|error| failure = Some(error)).is_err());
        match failure {
            None => return Ok(()),
            Some(error) if old.len() == before => return Err(error),
            Some(_) => {}
        }
    }
}

/// What was read must be the new key alone.
fn on_new(ids: Vec<KeyId>, new: KeyId) -> Read {
    let ids: BTreeSet<KeyId> = ids.into_iter().collect();
    if ids == BTreeSet::from([new]) {
        return Ok(Some(ids));
    }
    let message = format!("its header names other keys than master key {new} after it was wrapped by it");
    Err(ApiError::new(ErrorName::VolumeUnavailable, message))
}
