//! A FUSE export from its mount to its last flush.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fuser::{Session, SessionACL};

use super::attach::{self, UnmountError};
use super::filesystem::Volume;
use super::{FILE_NAME, errno};
use crate::disk::BlockingDisk;
use crate::disk::IoError;

/// Everything an export is made from.
pub struct Config {
    /// The disk.
    pub disk: Arc<dyn BlockingDisk>,
    /// An existing directory to mount at. What is in it is hidden meanwhile.
    pub dir: PathBuf,
    /// What mount tables show as the source, such as `sear:NAME`; characters that would confuse them are replaced.
    pub source: String,
    /// Threads, and so requests in flight; at least one.
    pub threads: usize,
}

/// Why an export cannot start.
#[derive(Debug, thiserror::Error)]
#[error("cannot mount a FUSE filesystem at {}: {source}", dir.display())]
pub struct MountError {
    /// Where.
    pub dir: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Why an export did not end as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The kernel's requests could not be read. What is mounted is there still, and answers nobody.
    #[error("the FUSE device failed: {0}")]
    Device(io::Error),
    /// The last flush of the disk failed: writes that nobody had synced may be lost.
    #[error("the last flush failed: {0}")]
    Flush(IoError),
}

/// A mounted export. Its file answers once [`Server::run`] is called.
pub struct Server {
    session: Session<Volume>,
    disk: Arc<dyn BlockingDisk>,
    handle: Handle,
}

/// Ends a running export from another thread.
#[derive(Clone, Debug)]
pub struct Handle {
    dir: Arc<Path>,
}

impl Handle {
    /// That of an export which is mounted at `dir`, an absolute path: for another process than the server's.
    #[must_use]
    pub fn of(dir: PathBuf) -> Self {
        Self { dir: dir.into() }
    }

    /// Where the export is mounted.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Unmounts: [`Server::run`] answers what is in flight, flushes and returns. Asking again is harmless.
    ///
    /// # Errors
    /// [`UnmountError::Busy`] while the file is open, or the system's refusal; the export goes on then.
    pub fn unmount(&self) -> Result<(), UnmountError> {
        attach::unmount(&self.dir)
    }
}

impl Server {
    /// Mounts the export.
    ///
    /// # Errors
    /// When there is no FUSE here, or the directory cannot be mounted at.
    pub fn mount(config: Config) -> Result<Self, MountError> {
        let Config { disk, dir, source, threads } = config;
        let failed = |source| MountError { dir: dir.clone(), source };
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-._:/@+".contains(c) { c } else { '_' };
        let source: String = source.chars().map(plain).collect();
        // Absolute: a server may change its working directory.
        let absolute: Arc<Path> = std::fs::canonicalize(&dir).map_err(failed)?.into();
        let device = attach::mount(&absolute, &source, disk.geometry().read_only).map_err(failed)?;
        let handle = Handle { dir: absolute };
        let mut options = fuser::Config::default();
        options.n_threads = Some(threads.max(1));
        options.clone_fd = true;
        // The kernel lets in only whoever mounted; there is nothing to add to that.
        let session = Session::from_fd(Volume::new(Arc::clone(&disk)), device, SessionACL::All, options);
        match session {
            Ok(session) => Ok(Self { session, disk, handle }),
            Err(error) => {
                if let Err(left) = handle.unmount() {
                    tracing::warn!(dir = %handle.dir.display(), error = %left, "a failed mount is left behind");
                }
                Err(failed(error))
            }
        }
    }

    /// What ends it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.handle.dir.join(FILE_NAME)
    }

    /// Answers until the filesystem is unmounted, by whomever; then flushes the disk.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn run(self) -> Result<(), RunError> {
        let Self { session, disk, .. } = self;
        let ended = session.run();
        if !disk.geometry().read_only {
            disk.flush().map_err(RunError::Flush)?;
        }
        ended.map_err(RunError::Device)
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("dir", &self.handle.dir).finish_non_exhaustive()
    }
}

/// The error number and, in the log, the reason.
pub(super) fn failed(doing: &str, offset: u64, len: u64, error: &IoError) -> fuser::Errno {
    tracing::warn!(offset, len, %error, "cannot {doing}");
    errno::of(error)
}
