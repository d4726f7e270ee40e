//! Where the state lives: keys, registry, sockets and locks.

use std::env;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use ekm_bridge::{Node, VolumeRecord};
use uuid::Uuid;

use crate::error::Error;
use crate::lock::{Purpose, VolumeLock};

/// The state directory's path, before anything is opened or made.
#[derive(Clone, Debug)]
pub(crate) struct StatePath(PathBuf);

impl StatePath {
    /// The chosen directory, or the default one of this user.
    ///
    /// # Errors
    /// When none is chosen and the environment names no home.
    pub(crate) fn resolve(chosen: Option<PathBuf>) -> Result<Self, Error> {
        let default = || {
            if rustix::process::geteuid().is_root() {
                return Ok(PathBuf::from("/var/lib/sear"));
            }
            let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
            let state_home = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
            state_home.map(|home| home.join("sear")).ok_or(Error::NoStateDir)
        };
        chosen.map_or_else(default, Ok).map(Self)
    }

    /// The directory; perhaps nothing is there yet.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where sockets, locks and mounts are, without opening anything.
    pub(crate) fn run_dir(&self) -> PathBuf {
        self.0.join("run")
    }

    /// Opens the node's state, making it on first use.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub(crate) fn open(&self) -> Result<State, Error> {
        // It keeps the store for itself: nobody needs to wait for it until a time limit is over.
        if let Some(lock) = self.daemon_lock() {
            return Err(crate::daemon::DaemonError::Owned(lock).into());
        }
        Ok(State { node: Node::open(&self.0)? })
    }

    /// The lock of the daemon that has the directory, when one does.
    pub(crate) fn daemon_lock(&self) -> Option<PathBuf> {
        let lock = crate::daemon::lock_path(&self.run_dir());
        let held = File::open(&lock).map(|file| file.try_lock());
        matches!(held, Ok(Err(TryLockError::WouldBlock))).then_some(lock)
    }
}

/// An open state directory.
pub(crate) struct State {
    node: Node,
}

impl State {
    /// Keys and registry.
    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        self.node.dir().path()
    }

    /// Where sockets and locks are.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn run_dir(&self) -> Result<PathBuf, Error> {
        Ok(self.node.dir().run_dir().map_err(ekm_bridge::NodeError::from)?)
    }

    /// Takes a volume's lock.
    ///
    /// # Errors
    /// When somebody else has it.
    pub(crate) fn lock(&self, uuid: Uuid, purpose: Purpose) -> Result<VolumeLock, Error> {
        VolumeLock::take(&self.run_dir()?, uuid, purpose)
    }

    /// Records that a volume was made, adopted or opened.
    ///
    /// # Errors
    /// When the store fails or the path cannot be recorded.
    pub(crate) fn record(&self, record: &VolumeRecord) -> Result<(), Error> {
        self.node.volumes().record(record)?;
        Ok(())
    }
}
