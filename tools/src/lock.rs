//! One process at a time: who serves a volume, and who changes its header. The locks are flock(2) on files in the state
//! directory, so the death of a process gives them back.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use crate::error::Error;
use crate::wait::wait_until;

/// How long a killed process may take to be gone, with its locks.
const DEATH: Duration = Duration::from_secs(1);

/// What a lock stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The volume is exported.
    Serve,
    /// The chain from the server to a mount is set up or taken down.
    Mount,
    /// The header is being changed; this is allowed while the volume is exported.
    Change,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Mount => "mount",
            Self::Change => "change",
        }
    }

    fn path(self, run_dir: &Path, uuid: Uuid) -> PathBuf {
        run_dir.join(format!("{uuid}.{}.lock", self.name()))
    }

    const fn doing(self) -> &'static str {
        match self {
            Self::Serve => "served",
            Self::Mount => "mounted",
            Self::Change => "changed",
        }
    }
}

/// A lock that is held; given back on drop.
#[derive(Debug)]
pub(crate) struct VolumeLock {
    file: File,
}

impl VolumeLock {
    /// Takes the lock; waits a moment for a process that was killed and is not gone yet.
    ///
    /// # Errors
    /// [`Error::InUse`], or the system's refusal to make the lock file in `run_dir`.
    pub(crate) fn take(run_dir: &Path, uuid: Uuid, purpose: Purpose) -> Result<Self, Error> {
        let path = purpose.path(run_dir, uuid);
        let file = open(&path)?;
        let mut outcome = Err(TryLockError::WouldBlock);
        wait_until(DEATH, || {
            outcome = file.try_lock();
            !matches!(outcome, Err(TryLockError::WouldBlock))
        });
        match outcome {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { uuid, doing: purpose.doing(), lock: path }),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
        }
    }

    /// Takes the lock, and waits for whoever has it.
    ///
    /// # Errors
    /// The system's refusal to make or lock the file.
    pub(crate) fn wait(run_dir: &Path, uuid: Uuid, purpose: Purpose) -> Result<Self, Error> {
        let path = purpose.path(run_dir, uuid);
        let file = open(&path)?;
        file.lock().map_err(Error::io("lock", &path))?;
        Ok(Self { file })
    }

    /// Writes into the lock that this process has begun to serve.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn sign(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        writeln!(self.file, "{}", std::process::id())
    }

    /// Wipes the signature: the server has flushed and ended in order.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn end_in_order(self) -> io::Result<()> {
        self.file.set_len(0)
    }
}

/// What became of a volume's server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// There is none, and the last one has ended in order.
    None,
    /// It runs, as this process.
    Alive(u32),
    /// It was this process, and ended without its last flush.
    Died(u32),
}

/// Looks at the lock of whoever serves the volume.
pub(crate) fn server_of(run_dir: &Path, uuid: Uuid) -> Server {
    let path = Purpose::Serve.path(run_dir, uuid);
    let Ok(file) = File::open(&path) else { return Server::None };
    let pid = || fs::read_to_string(&path).ok()?.trim().parse().ok();
    match (file.try_lock_shared(), pid()) {
        (Err(TryLockError::WouldBlock), pid) => Server::Alive(pid.unwrap_or_default()),
        (_, Some(pid)) => Server::Died(pid),
        (_, None) => Server::None,
    }
}

fn open(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(Error::io("open", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_served_once_and_changed_once_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let uuid = Uuid::new_v4();
        let serving = VolumeLock::take(dir.path(), uuid, Purpose::Serve).unwrap();
        let changing = VolumeLock::take(dir.path(), uuid, Purpose::Change).unwrap();
        for purpose in [Purpose::Serve, Purpose::Change] {
            let error = VolumeLock::take(dir.path(), uuid, purpose).unwrap_err();
            assert!(matches!(error, Error::InUse { .. }), "{error}");
            VolumeLock::take(dir.path(), Uuid::new_v4(), purpose).unwrap();
        }
        drop((serving, changing));
        VolumeLock::take(dir.path(), uuid, Purpose::Serve).unwrap();
    }

    #[test]
    fn the_lock_tells_a_server_that_runs_from_one_that_died_and_one_that_ended() {
        let dir = tempfile::tempdir().unwrap();
        let uuid = Uuid::new_v4();
        let look = || server_of(dir.path(), uuid);
        assert_eq!(look(), Server::None);
        let mut lock = VolumeLock::take(dir.path(), uuid, Purpose::Serve).unwrap();
        lock.sign().unwrap();
        assert_eq!(look(), Server::Alive(std::process::id()));
        drop(lock);
        assert_eq!(look(), Server::Died(std::process::id()));
        let mut lock = VolumeLock::take(dir.path(), uuid, Purpose::Serve).unwrap();
        lock.sign().unwrap();
        lock.end_in_order().unwrap();
        assert_eq!(look(), Server::None);
    }
}
