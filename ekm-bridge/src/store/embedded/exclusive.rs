//! The same file, kept open by the one process that owns the directory.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::open_file::OpenFile;
use super::{EmbeddedStore, check_private, rewrite};
use crate::state_dir::{StateDir, StateLock};
use crate::store::{Entry, Revision, Scrubbed, Snapshot, Store, StoreError, Transaction};

/// The store of a state directory whose lock is held as long as this lives: every other process that needs the
/// directory waits, and gives up after its time limit.
///
/// After a failed write or sync every further transaction fails until the store is opened anew.
#[derive(Debug)]
pub struct ExclusiveStore {
    // Dropped in this order: the file is closed before the lock is given back.
    open: RwLock<Open>,
    path: PathBuf,
    dir: StateDir,
    lock: StateLock,
}

/// The file, and which one it is.
#[derive(Debug)]
struct Open {
    file: OpenFile,
    identity: Identity,
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
        let open = RwLock::new(Open::at(&path)?);
        Ok(Self { open, path, dir: dir.clone(), lock })
    }

    /// Everything in it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.current().file.snapshot()
    }

    /// Commits if the transaction gets just this revision.
    pub(crate) fn commit_as(&self, transaction: &Transaction, revision: Revision) -> Result<(), StoreError> {
        let open = self.current();
        open.check_place(&self.path)?;
        open.file.commit_as(transaction, revision)
    }

    /// Another file is put in its place only as a whole, so a thread that panicked left one or the other.
    fn current(&self) -> RwLockReadGuard<'_, Open> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn at(path: &Path) -> Result<Self, StoreError> {
        let identity = identity(path)?;
        Ok(Self { file: OpenFile::open(path)?, identity })
    }

    /// A file that was deleted, replaced or unmounted would take transactions that nobody finds again.
    fn check_place(&self, path: &Path) -> Result<(), StoreError> {
        if identity(path)? == self.identity {
            return Ok(());
        }
        let reason = "another file has taken its place while it was open".into();
        Err(StoreError::Unavailable { path: path.to_owned(), reason })
    }
}

/// Checks that the file is private, and says which one it is.
fn identity(path: &Path) -> Result<Identity, StoreError> {
    let meta = check_private(path)?;
    Ok((meta.dev(), meta.ino()))
}

impl Store for ExclusiveStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.current().file.get(key)
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        self.current().file.list(prefix)
    }

    fn commit(&self, transaction: &Transaction) -> Result<Revision, StoreError> {
        let open = self.current();
        open.check_place(&self.path)?;
        open.file.commit(transaction)
    }

    /// Transactions wait meanwhile. When the new file cannot be opened, every further transaction fails until the store
    /// is opened anew.
    fn scrub(&self) -> Result<Vec<Scrubbed>, StoreError> {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.check_place(&self.path)?;
        let snapshot = open.file.snapshot()?;
        rewrite(&self.dir, &self.lock, &snapshot)?;
        *open = Open::at(&self.path)?;
        Ok(vec![Scrubbed { place: self.path.display().to_string(), in_use: true, failure: None }])
    }
}
