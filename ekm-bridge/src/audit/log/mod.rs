//! The log while it is written: one process, one append at a time, each durable before it is acknowledged.

mod recover;

use std::fs::{File, TryLockError};
use std::io::{self, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::entry::AuditEvent;
use super::line::Head;
use super::scan::{Broken, ScanError, scan};
use crate::private_file;
use crate::state_dir::StateError;
use crate::time::UnixSeconds;

/// The length in bytes at which a log is full unless told otherwise: about two million entries.
pub const DEFAULT_LIMIT: u64 = 1 << 30;

/// An open log. Nothing in it is ever changed: lines are added, and one that a crash tore is cut off.
pub struct AuditLog {
    file: Box<dyn LogFile>,
    path: PathBuf,
    head: Head,
    len: u64,
    limit: u64,
    /// Set by the first failed write or sync: what the file holds is then unknown until it is read again.
    latched: bool,
}

/// What is asked of the file once it was read.
trait LogFile: Send {
    /// Writes all of `bytes` at this offset.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Shortens the file, or lengthens it by zeros.
    fn set_len(&mut self, len: u64) -> io::Result<()>;
    /// Makes all of that durable.
    fn sync(&mut self) -> io::Result<()>;
}

impl LogFile for File {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, at)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Why there is no log, or no entry in it.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] StateError),
    /// Another process writes it.
    #[error("the audit log {0} is being written by another process")]
    InUse(PathBuf),
    /// It was altered. It is left as it is.
    #[error(
        "the audit log {path} is damaged or was altered: {source}. It was left untouched: move it away, keep it, and \
         start again with a new one"
    )]
    Broken {
        /// The log.
        path: PathBuf,
        /// The first broken link.
        source: Broken,
    },
    /// No more entries fit.
    #[error("the audit log {path} has reached its limit of {limit} bytes; archive it (move it away) and restart")]
    Full {
        /// The log.
        path: PathBuf,
        /// Its limit in bytes.
        limit: u64,
    },
    /// An earlier write failed.
    #[error("the audit log {0} takes no entries since a write to it failed; restart after repairing the cause")]
    Latched(PathBuf),
}

impl AuditLog {
    /// Opens the log at `path`, creating it (mode 0600) when there is none, and checks all of it. A torn last line is
    /// cut off, which becomes an entry of its own at time `now`.
    ///
    /// # Errors
    /// When it is not private, in use, or does not hold together.
    pub fn open(path: &Path, limit: u64, now: UnixSeconds) -> Result<Self, AuditError> {
        let mut file = open_file(path)?;
        let scanned = scan(BufReader::new(&file), |_| {}).map_err(|error| match error {
            ScanError::Broken(source) => AuditError::Broken { path: path.to_owned(), source },
            ScanError::Io(source) => StateError::io("read", path)(source).into(),
        })?;
        let (head, len) = recover::finish(&mut file, scanned, now).map_err(StateError::io("recover", path))?;
        Ok(Self::over(Box::new(file), path.to_owned(), head, len, limit))
    }

    fn over(file: Box<dyn LogFile>, path: PathBuf, head: Head, len: u64, limit: u64) -> Self {
        Self { file, path, head, len, limit, latched: false }
    }

    /// Adds an entry, durable when this returns, and returns the new head of the chain.
    ///
    /// # Errors
    /// When it does not fit, or writing failed now or before; then nothing may happen that needs to be audited.
    pub fn append(&mut self, event: &AuditEvent) -> Result<Head, AuditError> {
        if self.latched {
            return Err(AuditError::Latched(self.path.clone()));
        }
        let entry = event.encode(self.head.sequence + 1);
        let head = self.head.after(entry.as_bytes());
        let line = head.line(&entry);
        let len = u64::try_from(line.len()).ok().and_then(|len| self.len.checked_add(len));
        let len = len.filter(|len| *len <= self.limit).ok_or_else(|| self.full())?;
        self.write(&line)?;
        (self.head, self.len) = (head, len);
        Ok(head)
    }

    /// Whether an entry could be added: nothing has failed, and `room` bytes still fit.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, room: u64) -> Result<(), AuditError> {
        match () {
            () if self.latched => Err(AuditError::Latched(self.path.clone())),
            () if self.room() < room => Err(self.full()),
            () => Ok(()),
        }
    }

    fn write(&mut self, line: &[u8]) -> Result<(), AuditError> {
        let done = self.file.write_at(self.len, line).and_then(|()| self.file.sync());
        self.latched = done.is_err();
        Ok(done.map_err(StateError::io("write", &self.path))?)
    }

    fn full(&self) -> AuditError {
        AuditError::Full { path: self.path.clone(), limit: self.limit }
    }

    /// The head of the chain, to be kept elsewhere too.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// How many bytes still fit.
    #[must_use]
    pub fn room(&self) -> u64 {
        self.limit.saturating_sub(self.len)
    }
}

/// The file, private, locked, and made when there was none.
fn open_file(path: &Path) -> Result<File, AuditError> {
    match private_file::create(path, b"") {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(StateError::io("create", path)(error).into());
        }
        _ => {}
    }
    let file = private_file::open_or_create(path).map_err(StateError::io("open", path))?;
    let meta = file.metadata().map_err(StateError::io("open", path))?;
    private_file::check_file(&meta).map_err(StateError::not_private(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AuditError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(StateError::io("lock", path)(source).into()),
    }
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
