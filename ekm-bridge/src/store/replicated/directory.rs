//! A metadata drive that is a directory, meant to be on a disk of its own.

use std::io;
use std::path::{Path, PathBuf};

use super::drive::{Drive, Found};
use super::replica::Replica;
use crate::state_dir::{StateDir, StateError};
use crate::store::{EmbeddedStore, Entry, ExclusiveStore, Revision, Snapshot, Store, StoreError, Transaction};

/// The copy in the file `state.redb` of a directory, which must exist and be private. It is kept open.
#[derive(Debug)]
pub struct DirectoryDrive {
    path: PathBuf,
    lock_wait: Option<std::time::Duration>,
    store: Option<ExclusiveStore>,
}

impl DirectoryDrive {
    /// The drive at `path`. Nothing is looked at yet, and the directory is never made: an empty mount point must not
    /// become a drive by accident.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), lock_wait: None, store: None }
    }

    /// The same with another time limit for its lock.
    #[must_use]
    pub fn with_lock_wait(mut self, wait: std::time::Duration) -> Self {
        self.lock_wait = Some(wait);
        self
    }

    fn dir(&self) -> Result<StateDir, StateError> {
        let dir = StateDir::existing(&self.path)?;
        Ok(match self.lock_wait {
            Some(wait) => dir.with_lock_wait(wait),
            None => dir,
        })
    }

    /// The open store, opened now if it is not yet.
    fn store(&mut self) -> Result<&ExclusiveStore, StoreError> {
        let store = match self.store.take() {
            Some(store) => store,
            None => ExclusiveStore::open(&self.dir()?)?,
        };
        Ok(self.store.insert(store))
    }

    fn try_look(&mut self) -> Result<Found, StoreError> {
        if self.store.is_none() && !EmbeddedStore::exists(&self.dir()?)? {
            return Ok(Found::Empty);
        }
        let snapshot = self.store()?.snapshot()?;
        Ok(Replica::parse(snapshot).map_or_else(Found::Damaged, |copy| Found::Present(Box::new(copy))))
    }
}

impl Drive for DirectoryDrive {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn look(&mut self) -> Found {
        self.try_look().unwrap_or_else(|error| not_found(&error))
    }

    fn get(&mut self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.store()?.get(key)
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        self.store()?.list(prefix)
    }

    fn commit(&mut self, transaction: &Transaction, revision: Revision) -> Result<(), StoreError> {
        self.store()?.commit_as(transaction, revision)
    }

    fn replace(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.close();
        let dir = self.dir()?;
        let lock = dir.lock()?;
        EmbeddedStore::replace(&dir, &lock, snapshot)?;
        drop(lock);
        self.store().map(drop)
    }

    fn scrub(&mut self) -> Result<(), StoreError> {
        self.store()?.scrub().map(drop)
    }

    fn close(&mut self) {
        self.store = None;
    }
}

/// Tells a drive that is away from one whose contents are bad, and both from one that is in use.
fn not_found(error: &StoreError) -> Found {
    let reason = error.to_string();
    match error {
        StoreError::State(StateError::Locked { .. }) => Found::Busy(reason),
        StoreError::Damaged { .. } | StoreError::Schema { .. } => Found::Damaged(reason),
        StoreError::State(StateError::Io { source, .. }) if source.kind() == io::ErrorKind::InvalidData => {
            Found::Damaged(reason)
        }
        _ => Found::Absent(reason),
    }
}
