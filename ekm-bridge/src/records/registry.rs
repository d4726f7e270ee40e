//! The volumes that this node knows. A record holds no secret; the volume's own header stays the authority on its keys.

use std::path::{Path, PathBuf};

use keywrap::keys::KeyId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::record::Record;
use crate::store::{Entry, Revision, Store, StoreError, Transaction};
use crate::time::UnixSeconds;

const PREFIX: &str = "volume/";

/// Times that a read-modify-write is tried against other writers. Each loss means that somebody else succeeded.
const ATTEMPTS: usize = 16;

/// One volume, as JSON under `volume/<uuid>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VolumeRecord {
    /// The UUID in the LUKS2 header.
    pub uuid: Uuid,
    /// Absolute path of the file or device with the encrypted data.
    pub path: PathBuf,
    /// Absolute path of the detached header; `None` when the header is in front of the data.
    pub header: Option<PathBuf>,
    /// The master key that wraps the volume's key.
    pub key_id: KeyId,
    /// When this node first saw the volume.
    pub created: UnixSeconds,
    /// When this node last opened it.
    pub last_opened: Option<UnixSeconds>,
    /// The name under which it was last exported.
    pub export: Option<String>,
}

/// Beside a cluster's records: a transaction of those may take a volume over, or forget it.
impl Record for VolumeRecord {
    const KIND: &'static str = "volume";
    type Id = Uuid;

    fn id(&self) -> Uuid {
        self.uuid
    }
}

/// Why the registry gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record is not what this release writes.
    #[error("the registry's record {key} cannot be read: {reason}; restore the state directory from a backup")]
    Damaged {
        /// Its key in the store.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// A path would mean something else in another working directory.
    #[error("{0} is not an absolute path")]
    RelativePath(PathBuf),
    /// A path cannot be written in a record.
    #[error("{0:?} is not UTF-8, which records are; rename it or use a symbolic link with a UTF-8 name")]
    PathNotUtf8(PathBuf),
}

/// The volumes in a store.
#[derive(Clone, Copy)]
pub struct VolumeRegistry<'a> {
    store: &'a dyn Store,
}

impl<'a> VolumeRegistry<'a> {
    /// The registry kept in `store`.
    #[must_use]
    pub fn new(store: &'a dyn Store) -> Self {
        Self { store }
    }

    /// All volumes, in the order of their UUIDs.
    ///
    /// # Errors
    /// When the store or any record cannot be read.
    pub fn list(&self) -> Result<Vec<VolumeRecord>, RegistryError> {
        self.store.list(PREFIX)?.iter().map(|(key, entry)| parse(key, entry)).collect()
    }

    /// The volume with this UUID, if it is known.
    ///
    /// # Errors
    /// When the store or the record cannot be read.
    pub fn get(&self, uuid: Uuid) -> Result<Option<VolumeRecord>, RegistryError> {
        let key = key_of(uuid);
        self.store.get(&key)?.map(|entry| parse(&key, &entry)).transpose()
    }

    /// The volumes recorded at `path`, which is absolute: none, one, or several when a file was replaced.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn find_by_path(&self, path: &Path) -> Result<Vec<VolumeRecord>, RegistryError> {
        Ok(self.list()?.into_iter().filter(|volume| volume.path == path).collect())
    }

    /// Records that a volume was made or opened. A volume already known keeps its `created` time, and everything else
    /// is taken from `seen`, so a volume that was moved is found at its new place.
    ///
    /// # Errors
    /// When a path in `seen` is relative or not UTF-8, or the store fails.
    pub fn record(&self, seen: &VolumeRecord) -> Result<VolumeRecord, RegistryError> {
        check_paths(seen)?;
        self.update(seen.uuid, |known| {
            let created = known.map_or(seen.created, |known| known.created);
            Some(VolumeRecord { created, ..seen.clone() })
        })
        .map(|after| after.unwrap_or_else(|| seen.clone()))
    }

    /// Forgets a volume; whether it was known. The volume itself is not touched.
    ///
    /// # Errors
    /// When the store fails.
    pub fn forget(&self, uuid: Uuid) -> Result<bool, RegistryError> {
        let mut known_before = false;
        self.update(uuid, |known| {
            known_before = known.is_some();
            None
        })?;
        Ok(known_before)
    }

    /// Replaces a record by what `change` makes of it, again when another process was faster.
    fn update(
        &self,
        uuid: Uuid,
        mut change: impl FnMut(Option<VolumeRecord>) -> Option<VolumeRecord>,
    ) -> Result<Option<VolumeRecord>, RegistryError> {
        let key = key_of(uuid);
        for attempt in 1.. {
            let entry = self.store.get(&key)?;
            let revision = entry.as_ref().map_or(Revision::ABSENT, |entry| entry.revision);
            let after = change(entry.map(|entry| parse(&key, &entry)).transpose()?);
            let transaction = Transaction::new().expect(&key, revision);
            let transaction = match &after {
                Some(record) => transaction.put(&key, encode(&key, record)?),
                None => transaction.delete(&key),
            };
            match self.store.commit(&transaction) {
                Err(StoreError::Conflict { .. }) if attempt < ATTEMPTS => {}
                outcome => return Ok(outcome.map(|_| after)?),
            }
        }
        Ok(None)
    }
}

fn key_of(uuid: Uuid) -> String {
    format!("{PREFIX}{uuid}")
}

fn check_paths(record: &VolumeRecord) -> Result<(), RegistryError> {
    for path in [Some(&record.path), record.header.as_ref()].into_iter().flatten() {
        if !path.is_absolute() {
            return Err(RegistryError::RelativePath(path.clone()));
        }
        if path.to_str().is_none() {
            return Err(RegistryError::PathNotUtf8(path.clone()));
        }
    }
    Ok(())
}

fn encode(key: &str, record: &VolumeRecord) -> Result<Vec<u8>, RegistryError> {
    serde_json::to_vec(record).map_err(|error| damaged(key, error.to_string()))
}

fn parse(key: &str, entry: &Entry) -> Result<VolumeRecord, RegistryError> {
    let record: VolumeRecord = serde_json::from_slice(&entry.value).map_err(|error| damaged(key, error.to_string()))?;
    if key_of(record.uuid) == key { Ok(record) } else { Err(damaged(key, format!("it is about {}", record.uuid))) }
}

fn damaged(key: &str, reason: String) -> RegistryError {
    RegistryError::Damaged { key: key.to_owned(), reason }
}
