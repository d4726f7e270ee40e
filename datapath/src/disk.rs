//! What every export sees of a volume: a disk of bytes that takes operations and completes them, in any order.

use std::io;

use keywrap::geometry::{ByteLen, SectorSize};

use crate::buf::Buf;

/// What a disk is, as an export advertises it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Usable length in bytes.
    pub len: ByteLen,
    /// The unit in which the disk works; smaller or unaligned writes cost a read-modify-write.
    pub sector_size: SectorSize,
    /// Writes, zeroes and trims are refused.
    pub read_only: bool,
    /// Trim is passed down to the backing.
    pub discards: bool,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Fill the buffer.
    Read,
    /// Store the buffer; with `fua` the data is on the medium before completion.
    Write {
        /// Force unit access.
        fua: bool,
    },
    /// Make the range read as zeroes.
    WriteZeroes {
        /// Force unit access.
        fua: bool,
    },
    /// The range's content is no longer needed. Advisory.
    Trim {
        /// Force unit access.
        fua: bool,
    },
    /// Bring the range into the cache. Advisory.
    Cache,
    /// Every write that completed before this was submitted is on the medium before completion.
    Flush,
}

/// A disk of bytes. Operations complete in any order, on any thread, each exactly once.
///
/// Overlapping operations in flight have no order among themselves, but each sector ends as one of them wrote it, whole.
pub trait Disk: Send + Sync {
    /// What the disk is.
    fn geometry(&self) -> Geometry;

    /// Starts `io` and returns; `done` is called exactly once, also when the operation is refused at once.
    fn submit(&self, io: Io, done: Done);
}

/// A disk of bytes, used by calls that block until they are done. Any alignment and length will do.
///
/// Overlapping calls that run together have no order among themselves, but each sector ends as one of them wrote it,
/// whole, and no read sees half of a sector's write.
pub trait BlockingDisk: Send + Sync {
    /// What the disk is, now: its length may change while it is served.
    fn geometry(&self) -> Geometry;

    /// Fills `buf` from byte `offset`.
    ///
    /// # Errors
    /// See [`IoError`].
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), IoError>;

    /// Stores `buf` at byte `offset`; with `fua` it is on the medium before this returns.
    ///
    /// # Errors
    /// See [`IoError`]; any part may then have been written.
    fn write_at(&self, buf: &[u8], offset: u64, fua: bool) -> Result<(), IoError>;

    /// Makes the range read as zeroes.
    ///
    /// # Errors
    /// See [`IoError`]; any part may then have been zeroed.
    fn write_zeroes(&self, offset: u64, len: u64, fua: bool) -> Result<(), IoError>;

    /// Says that the range's content is no longer needed. Advisory.
    ///
    /// # Errors
    /// See [`IoError`].
    fn trim(&self, offset: u64, len: u64, fua: bool) -> Result<(), IoError>;

    /// Returns once every write that had returned before is on the medium.
    ///
    /// # Errors
    /// See [`IoError`]; nothing may be assumed of earlier writes then.
    fn flush(&self) -> Result<(), IoError>;
}

/// Called with the outcome of an operation, on a thread that other operations need: it must not wait for one of them.
pub type Done = Box<dyn FnOnce(Outcome) + Send>;

/// One operation. `buf` holds `len` bytes for a read or a write and none for the others.
pub struct Io {
    /// What to do.
    pub command: Command,
    /// First byte.
    pub offset: u64,
    /// How many bytes; 0 for a flush.
    pub len: u64,
    /// The payload, owned by the operation until it completes.
    pub buf: Buf,
}

/// How an operation ended; its buffer comes back with it.
pub struct Outcome {
    /// The payload: filled by a read, unchanged in length; its content is unspecified after a write.
    pub buf: Buf,
    /// Success, or why not.
    pub result: Result<(), IoError>,
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IoError {
    /// The range reaches beyond the end, or its length does not fit the buffer.
    #[error("the range is not inside the disk")]
    OutOfRange,
    /// A read or write is longer than [`crate::limits::MAX_TRANSFER`].
    #[error("one read or write may have at most {} bytes", crate::limits::MAX_TRANSFER)]
    TooLong,
    /// The range is not aligned to the sector size, and the disk was asked to be strict.
    #[error("the range is not aligned to the sector size")]
    Unaligned,
    /// A change was asked of a read-only disk.
    #[error("the disk is read-only")]
    ReadOnly,
    /// An earlier write or sync failed, so nothing can be promised any more; the volume must be reopened.
    #[error("the disk refuses writes since an earlier write or sync failed")]
    Latched,
    /// The backing failed.
    #[error("the backing failed: {0}")]
    Backing(#[from] io::Error),
}
