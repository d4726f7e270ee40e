//! The same file, kept open by the one process that owns the directory.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::open_file::OpenFile;
use super::{EmbeddedStore, check_private};
use crate::state_dir::{StateDir, StateLock};
use crate::store::{Entry, Revision, Snapshot, Store, StoreError, Transaction};

/// The store of a state directory whose lock is held as long as this lives: every other process that needs the
/// directory waits, and gives up after its time limit.
///
/// After a failed write or sync every further transaction fails until the store is opened anew.
#[derive(Debug)]
pub struct ExclusiveStore {
    // Dropped in this order: the file is closed before the lock is given back.
    file: OpenFile,
    path: PathBuf,
    identity: Identity,
    _lock: StateLock,
}

/// Device and inode: whether a name still stands for the file that is open.
type Identity = (u64, u64);

impl ExclusiveStore {
    /// Takes the lock of `dir` and opens its store, which exists. The checksum of every page is verified.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is none, [`StoreError::State`] when the lock is held too long, and whatever
    /// is wrong with the file.
    pub fn open(dir: &StateDir) -> Result<Self, StoreError> {
        let path = EmbeddedStore::open(dir)?.path;
        let lock = dir.lock()?;
        let identity = identity(&path)?;
        Ok(Self { file: OpenFile::open(&path)?, path, identity, _lock: lock })
    }

    /// Everything in it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.file.snapshot()
    }

    /// Commits if the transaction gets just this revision.
    pub(crate) fn commit_as(&self, transaction: &Transaction, revision: Revision) -> Result<(), StoreError> {
        self.check_place()?;
        self.file.commit_as(transaction, revision)
    }

    /// A file that was deleted, replaced or unmounted would take transactions that nobody finds again.
    fn check_place(&self) -> Result<(), StoreError> {
        if identity(&self.path)? == self.identity {
            return Ok(());
        }
        let reason = "another file has taken its place while it was open".into();
        Err(StoreError::Unavailable { path: self.path.clone(), reason })
    }
}

/// Checks that the file is private, and says which one it is.
fn identity(path: &Path) -> Result<Identity, StoreError> {
    let meta = check_private(path)?;
    Ok((meta.dev(), meta.ino()))
}

impl Store for ExclusiveStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.file.get(key)
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        self.file.list(prefix)
    }

    fn commit(&self, transaction: &Transaction) -> Result<Revision, StoreError> {
        self.check_place()?;
        self.file.commit(transaction)
    }
}
