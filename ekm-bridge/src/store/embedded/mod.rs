//! The store of a single node: one redb file in the state directory.
//!
//! redb serves one process at a time, and several `sear` processes share a state directory. So the file is opened for
//! one transaction, under the directory's lock, and closed again; the few transactions of a process make this cheap.
//! A daemon that owns its directory keeps it open instead ([`ExclusiveStore`]).
//! Opening verifies the checksum of every page, so damage is reported instead of believed.

#[cfg(test)]
mod crash_tests;
mod exclusive;
mod open_file;
mod rewrite;
#[cfg(test)]
pub(super) mod sim;
mod tables;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use redb::Database;

use super::{Entry, Revision, Scrubbed, Snapshot, Store, StoreError, Transaction};
use crate::private_file::{self, Draft};
use crate::state_dir::{StateDir, StateError, StateLock};
pub use exclusive::ExclusiveStore;
pub(crate) use rewrite::rewrite;
use tables::Failure;

/// Bytes of page cache; the whole store is far smaller.
const CACHE_LEN: usize = 4 * 1024 * 1024;

/// The store in the file `state.redb` of a state directory.
#[derive(Clone, Debug)]
pub struct EmbeddedStore {
    dir: StateDir,
    path: PathBuf,
}

impl EmbeddedStore {
    /// Whether `dir` has a store, sound or not.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn exists(dir: &StateDir) -> Result<bool, StateError> {
        let path = dir.store_path();
        match fs::symlink_metadata(&path) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(StateError::Io { doing: "look for", path, source }),
        }
    }

    /// Makes an empty store. It appears whole or not at all, and never replaces a file.
    ///
    /// # Errors
    /// When there is one already, or it cannot be written.
    pub fn create(dir: &StateDir, _lock: &StateLock) -> Result<(), StoreError> {
        let path = dir.store_path();
        write_draft(&path, &Snapshot::default())?.publish().map_err(StateError::io("create", &path))?;
        Ok(())
    }

    /// Makes a store that holds `snapshot`, in the place of the one that may be there. A crash leaves either.
    pub(crate) fn replace(dir: &StateDir, _lock: &StateLock, snapshot: &Snapshot) -> Result<(), StoreError> {
        let path = dir.store_path();
        write_draft(&path, snapshot)?.replace().map_err(StateError::io("replace", &path))?;
        Ok(())
    }

    /// The store of `dir`, which exists. Its contents are first looked at by the first transaction.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none.
    pub fn open(dir: &StateDir) -> Result<Self, StoreError> {
        let path = dir.store_path();
        if Self::exists(dir)? { Ok(Self { dir: dir.clone(), path }) } else { Err(StoreError::Missing { path }) }
    }

    /// Opens the file under the lock, does `work`, and closes it.
    fn with_database<T>(&self, work: impl FnOnce(&Database) -> Result<T, Failure>) -> Result<T, StoreError> {
        let _lock = self.dir.lock()?;
        check_private(&self.path)?;
        let run = || tables::session(builder().open(&self.path)?, work);
        run().map_err(|failure: Failure| failure.at(&self.path))
    }
}

impl Store for EmbeddedStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.with_database(|database| tables::get(database, key))
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        self.with_database(|database| tables::list(database, prefix))
    }

    fn commit(&self, transaction: &Transaction) -> Result<Revision, StoreError> {
        transaction.check_limits()?;
        self.with_database(|database| tables::commit(database, transaction))
    }

    fn scrub(&self) -> Result<Vec<Scrubbed>, StoreError> {
        let lock = self.dir.lock()?;
        check_private(&self.path)?;
        let read = || tables::session(builder().open(&self.path)?, tables::snapshot);
        let snapshot = read().map_err(|failure: Failure| failure.at(&self.path))?;
        rewrite(&self.dir, &lock, &snapshot)?;
        Ok(vec![Scrubbed { place: self.path.display().to_string(), in_use: true, failure: None }])
    }
}

/// A finished store beside its place at `path`, durable but without its name.
fn write_draft(path: &Path, snapshot: &Snapshot) -> Result<Draft, StoreError> {
    let draft = Draft::new(path).map_err(StateError::io("create", path))?;
    let file = private_file::open_or_create(draft.path()).map_err(StateError::io("create", path))?;
    let build = || -> Result<(), Failure> {
        let database = builder().create(draft.path())?;
        tables::initialise(&database, snapshot)?;
        Ok(database.close()?)
    };
    build().map_err(|failure| failure.at(draft.path()))?;
    file.sync_all().map_err(StateError::io("create", path))?;
    Ok(draft)
}

fn builder() -> redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_LEN).set_check_integrity_on_open(true);
    builder
}

fn check_private(path: &Path) -> Result<fs::Metadata, StoreError> {
    let meta = fs::symlink_metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => StoreError::Missing { path: path.to_owned() },
        _ => StateError::io("open", path)(error).into(),
    })?;
    private_file::check_file(&meta).map_err(StateError::not_private(path))?;
    Ok(meta)
}
