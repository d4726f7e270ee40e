//! What every export sees of a volume: a disk of bytes.

use std::io;

use keywrap::geometry::{ByteLen, SectorSize};

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
