//! The blocking backend over a regular file or a block device: the reference for faster ones, plain calls on a few
//! threads.
//!
//! | operation | call | notes |
//! |---|---|---|
//! | read | `pread` | ending early is an error: the file has shrunk |
//! | write | `pwrite` | refused when a regular file has shrunk, where writing would leave a hole behind |
//! | synced write | `pwritev2` with `RWF_DSYNC` | else `pwrite` and `fdatasync` |
//! | flush | `fdatasync` | of a block device: its volatile cache too |
//! | discard | `fallocate` punching a hole | of a block device: the kernel unmaps; where neither can, nothing happens |

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::Arc;

use keywrap::medium::Medium;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};

use super::pool::Pool;
use super::{Backend, Op, OpKind};
use crate::disk::{Done, IoError, Outcome};
use crate::limits::BLOCKING_WORKERS;

/// A regular file or block device behind a few blocking threads.
pub struct FileBackend {
    target: Arc<Target>,
    pool: Pool,
}

/// What the threads share.
struct Target {
    file: File,
    len: u64,
    /// A regular file, whose length someone may change.
    regular: bool,
}

impl FileBackend {
    /// Opens the file or block device at `path`; it must exist.
    ///
    /// # Errors
    /// The operating system's refusal, or `InvalidInput` for anything that is neither.
    pub fn open(path: &Path, read_only: bool) -> io::Result<Self> {
        Self::new(OpenOptions::new().read(true).write(!read_only).open(path)?)
    }

    /// Takes an open file or block device.
    ///
    /// # Errors
    /// The operating system's refusal, or `InvalidInput` for anything that is neither.
    pub fn new(file: File) -> io::Result<Self> {
        let kind = file.metadata()?.file_type();
        if !kind.is_file() && !kind.is_block_device() {
            let message = "the backing is neither a regular file nor a block device";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let len = Medium::len(&file)?;
        let target = Arc::new(Target { file, len, regular: kind.is_file() });
        Ok(Self { target, pool: Pool::start(BLOCKING_WORKERS)? })
    }
}

impl Backend for FileBackend {
    fn len(&self) -> u64 {
        self.target.len
    }

    fn submit(&self, mut op: Op, done: Done) {
        let target = Arc::clone(&self.target);
        self.pool.run(move || {
            let result = target.perform(&mut op).map_err(IoError::from);
            drop(target);
            done(Outcome { buf: op.buf, result });
        });
    }
}

impl Target {
    fn perform(&self, op: &mut Op) -> io::Result<()> {
        match op.kind {
            OpKind::Read => self.read(op.buf.as_mut_slice(), op.offset),
            OpKind::Write { sync: false } => self.write(op.buf.as_slice(), op.offset),
            OpKind::Write { sync: true } => self.write_synced(op.buf.as_slice(), op.offset),
            OpKind::Discard => self.discard(op.offset, op.len),
            OpKind::Flush => self.file.sync_data(),
        }
    }

    fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.shrunk(offset, buf.len()),
            _ => error,
        })
    }

    fn write(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.refuse_shrunk(buf, offset)?;
        self.file.write_all_at(buf, offset)
    }

    fn write_synced(&self, mut buf: &[u8], mut offset: u64) -> io::Result<()> {
        self.refuse_shrunk(buf, offset)?;
        while !buf.is_empty() {
            match pwritev2(&self.file, &[IoSlice::new(buf)], offset, ReadWriteFlags::DSYNC) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    buf = &buf[written..];
                    offset += written as u64;
                }
                Err(Errno::INTR) => {}
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
                    self.file.write_all_at(buf, offset)?;
                    return self.file.sync_data();
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn discard(&self, offset: u64, len: u64) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        match fallocate(&self.file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, offset, len) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A write beyond the end of a file that has shrunk would succeed, with a hole where data used to be.
    fn refuse_shrunk(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        if self.regular && self.file.metadata()?.len() < self.len {
            return Err(self.shrunk(offset, buf.len()));
        }
        Ok(())
    }

    fn shrunk(&self, offset: u64, len: usize) -> io::Error {
        let now = Medium::len(&self.file).map_or("an unknown length".to_owned(), |now| format!("{now} bytes"));
        let message = format!(
            "the backing has shrunk from {} bytes to {now}, so the {len} bytes at {offset} cannot be transferred; \
             restore it from a copy before using the volume",
            self.len
        );
        io::Error::new(io::ErrorKind::UnexpectedEof, message)
    }
}
