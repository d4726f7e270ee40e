//! The one directory where a node keeps its state, and the lock that lets several processes share it.
//!
//! Layout, permissions and what each crash leaves: `docs/format/state-dir.md`.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::private_file::{self, NotPrivate};

/// How long [`StateDir::lock`] waits for another process. Transactions take milliseconds.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

const LOCK_POLL: Duration = Duration::from_millis(5);

/// A state directory that exists and that only its owner can change.
#[derive(Clone, Debug)]
pub struct StateDir {
    path: PathBuf,
    lock_wait: Duration,
}

/// Proof that no other process or thread is changing the state; given back on drop, also by the death of the process.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

/// Why the state directory or a file in it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The operating system refused.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Other accounts could read or change it.
    #[error("refusing to use {path}: {reason}")]
    NotPrivate {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: NotPrivate,
    },
    /// Another process held the lock for the whole time limit.
    #[error("{path} is still locked by another process after {} s; `fuser {path}` shows which", waited.as_secs())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The time limit that ran out.
        waited: Duration,
    },
}

impl StateError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    pub(crate) fn not_private(path: &Path) -> impl FnOnce(NotPrivate) -> Self {
        move |reason| Self::NotPrivate { path: path.to_owned(), reason }
    }
}

impl StateDir {
    /// Opens the directory at `path`, creating it (mode 0700) and its parents durably when it is missing.
    ///
    /// # Errors
    /// When it cannot be created, is not a directory, belongs to another user, or can be written by others.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        private_file::create_dir_all(path).map_err(StateError::io("create", path))?;
        Self::existing(path)
    }

    /// Opens the directory at `path` and never makes one, so that a disk that is not mounted does not turn into a
    /// folder on another disk.
    ///
    /// # Errors
    /// As [`Self::open`], and when it is missing.
    pub fn existing(path: &Path) -> Result<Self, StateError> {
        let path = fs::canonicalize(path).map_err(StateError::io("open", path))?;
        let meta = fs::metadata(&path).map_err(StateError::io("open", &path))?;
        private_file::check_dir(&meta).map_err(StateError::not_private(&path))?;
        Ok(Self { path, lock_wait: LOCK_WAIT })
    }

    /// The same directory with another time limit for [`Self::lock`].
    #[must_use]
    pub fn with_lock_wait(mut self, wait: Duration) -> Self {
        self.lock_wait = wait;
        self
    }

    /// The absolute path of the directory, symbolic links resolved.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the embedded store lies.
    #[must_use]
    pub fn store_path(&self) -> PathBuf {
        self.path.join("state.redb")
    }

    /// Where the witness of the metadata drives lies (`docs/format/metadata-drives.md`).
    #[must_use]
    pub fn witness_path(&self) -> PathBuf {
        self.path.join("metadata-drives.json")
    }

    /// Where the root-only-file source keeps the node root key unless told otherwise.
    #[must_use]
    pub fn root_key_path(&self) -> PathBuf {
        self.path.join("root.key")
    }

    /// A directory (mode 0700) for sockets and other things that need not survive a restart, created when missing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn run_dir(&self) -> Result<PathBuf, StateError> {
        Self::open(&self.path.join("run")).map(|dir| dir.path)
    }

    /// Waits for the exclusive lock (`flock` on the file `lock`) and takes it. Hold it for one transaction only: all
    /// processes that use this directory wait for it.
    ///
    /// # Errors
    /// [`StateError::Locked`] when the time limit ran out.
    pub fn lock(&self) -> Result<StateLock, StateError> {
        let path = self.path.join("lock");
        let file = private_file::open_or_create(&path).map_err(StateError::io("open", &path))?;
        let deadline = Instant::now() + self.lock_wait;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(StateLock { _file: file }),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOCK_POLL),
                Err(TryLockError::WouldBlock) => return Err(StateError::Locked { path, waited: self.lock_wait }),
                Err(TryLockError::Error(source)) => return Err(StateError::Io { doing: "lock", path, source }),
            }
        }
    }
}
