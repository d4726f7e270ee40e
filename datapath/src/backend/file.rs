//! A regular file or a block device.
//!
//! | operation | call | notes |
//! |---|---|---|
//! | read | `pread` | ending early is an error: the file has shrunk |
//! | write | `pwrite` | the caller sees to it that the file has not shrunk: writing would leave a hole behind |
//! | synced write | `pwritev2` with `RWF_DSYNC` | else `pwrite` and `fdatasync` |
//! | flush | `fdatasync` | of a block device: its volatile cache too |
//! | discard | `fallocate` punching a hole | of a block device: the kernel unmaps; where neither can, nothing happens |
//!
//! The page cache is passed by ([`Caching::Direct`]) where the medium takes it: what is encrypted is not kept twice, and
//! a flush has little left to do. A file in memory has no medium, so it is used by plain calls.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::Path;

use keywrap::geometry::SectorSize;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::{Errno, ReadWriteFlags, pwritev2};

use super::Backend;
use crate::buf::Buf;
use crate::limits::in_memory;

/// What stands between a file and its medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caching {
    /// Nothing: direct I/O.
    Direct,
    /// The page cache.
    Buffered,
    /// There is no medium: a file of `tmpfs` or `ramfs`.
    Memory,
}

/// A regular file or block device.
pub struct FileBackend {
    /// For data.
    file: File,
    caching: Caching,
    /// What was given: it holds the locks.
    _given: Option<File>,
}

impl FileBackend {
    /// Opens the file or block device at `path`; it must exist. `granule`: what every offset and length will be a
    /// multiple of.
    ///
    /// # Errors
    /// The operating system's refusal, or `InvalidInput` for anything that is neither.
    pub fn open(path: &Path, read_only: bool, granule: SectorSize) -> io::Result<Self> {
        Self::new(OpenOptions::new().read(true).write(!read_only).open(path)?, granule, true)
    }

    /// Takes an open file or block device. `direct` allows direct I/O where it works.
    ///
    /// # Errors
    /// The operating system's refusal, or `InvalidInput` for anything that is neither.
    pub fn new(file: File, granule: SectorSize, direct: bool) -> io::Result<Self> {
        let kind = file.metadata()?.file_type();
        if !kind.is_file() && !kind.is_block_device() {
            let message = "the backing is neither a regular file nor a block device";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        if kind.is_file() && is_in_memory(&file)? {
            return Ok(Self { file, caching: Caching::Memory, _given: None });
        }
        match direct.then(|| reopen_direct(&file, granule)).transpose() {
            Ok(Some(data)) => Ok(Self { file: data, caching: Caching::Direct, _given: Some(file) }),
            refused => {
                if let Err(error) = refused {
                    tracing::info!(%error, "no direct I/O on this backing; the page cache is used");
                }
                Ok(Self { file, caching: Caching::Buffered, _given: None })
            }
        }
    }

    /// What stands between the file and its medium.
    #[must_use]
    pub fn caching(&self) -> Caching {
        self.caching
    }

    fn write_synced(&self, mut buf: &[u8], mut offset: u64) -> io::Result<()> {
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
}

impl Backend for FileBackend {
    fn len(&self) -> io::Result<u64> {
        medium_len(&self.file)
    }

    fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)
    }

    fn write(&self, buf: &[u8], offset: u64, sync: bool) -> io::Result<()> {
        if sync { self.write_synced(buf, offset) } else { self.file.write_all_at(buf, offset) }
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

    fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn descriptor(&self) -> io::Result<Option<OwnedFd>> {
        match self.caching {
            Caching::Memory => Ok(None),
            Caching::Direct | Caching::Buffered => Ok(Some(reopen(&self.file)?.into())),
        }
    }
}

fn is_in_memory(file: &File) -> io::Result<bool> {
    const TMPFS: i64 = 0x0102_1994;
    const RAMFS: i64 = 0x8584_58f6;
    let kind = rustix::fs::fstatfs(file)?.f_type;
    Ok(matches!(kind, TMPFS | RAMFS))
}

/// The same file, opened for direct I/O, if it takes transfers of a granule.
fn reopen_direct(file: &File, granule: SectorSize) -> io::Result<File> {
    let direct = reopen_with(file, rustix::fs::OFlags::DIRECT)?;
    let len = medium_len(file)?;
    let granule = u64::from(granule.bytes());
    if len >= 2 * granule {
        direct.read_exact_at(Buf::zeroed(in_memory(granule)).as_mut_slice(), granule)?;
    }
    Ok(direct)
}

/// The same file, opened once more. Linux tells of a failed write-back once for each time that a file was opened, so
/// two rings on one opening would take the news from each other, and one of them would call lost writes durable.
fn reopen(file: &File) -> io::Result<File> {
    let flags = rustix::fs::fcntl_getfl(file)?;
    reopen_with(file, flags & rustix::fs::OFlags::DIRECT).map_err(|error| {
        let message = format!("the backing cannot be opened once more through /proc/self/fd: {error}");
        io::Error::new(error.kind(), message)
    })
}

fn reopen_with(file: &File, extra: rustix::fs::OFlags) -> io::Result<File> {
    let write = rustix::fs::fcntl_getfl(file)?.contains(rustix::fs::OFlags::RDWR);
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    OpenOptions::new().read(true).write(write).custom_flags(extra.bits().cast_signed()).open(path)
}

/// Of a block device too, whose metadata says 0.
fn medium_len(file: &File) -> io::Result<u64> {
    keywrap::medium::Medium::len(file)
}
