//! One process at a time: who serves a volume, and who changes its header. The locks are flock(2) on files in the state
//! directory, so the death of a process gives them back.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use uuid::Uuid;

use crate::error::Error;

/// What a lock stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The volume is exported.
    Serve,
    /// The header is being changed; this is allowed while the volume is exported.
    Change,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Change => "change",
        }
    }

    const fn doing(self) -> &'static str {
        match self {
            Self::Serve => "served",
            Self::Change => "changed",
        }
    }
}

/// A lock that is held; given back on drop.
#[derive(Debug)]
pub(crate) struct VolumeLock {
    _file: File,
}

impl VolumeLock {
    /// Takes the lock, or says at once who has it.
    ///
    /// # Errors
    /// [`Error::InUse`], or the system's refusal to make the lock file in `run_dir`.
    pub(crate) fn take(run_dir: &Path, uuid: Uuid, purpose: Purpose) -> Result<Self, Error> {
        let path = run_dir.join(format!("{uuid}.{}.lock", purpose.name()));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { uuid, doing: purpose.doing(), lock: path }),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path)(error)),
        }
    }
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
}
