//! A disk of bytes for callers that wait: each operation runs to its end on the thread that asks for it.
//!
//! FUSE hands every request to a thread of its own, so the thread that reads the request also moves the data, ciphers it
//! and answers: no queue and no second thread in between.

pub mod submitted;

use crate::disk::{Geometry, IoError};

/// A disk of bytes whose operations have ended when they return. Any offset and any length inside the disk will do.
///
/// Threads may call it at the same time. Overlapping operations have no order among themselves, but each sector ends as
/// one of them wrote it, whole. `fua`: what was changed is on the medium before the call returns.
pub trait BlockingDisk: Send + Sync {
    /// What the disk is, at this moment: a disk that is made larger says so here.
    fn geometry(&self) -> Geometry;

    /// Fills `buf` from byte `offset`.
    ///
    /// # Errors
    /// See [`IoError`]; the content of `buf` is unspecified then.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), IoError>;

    /// Stores `buf` at byte `offset`.
    ///
    /// # Errors
    /// See [`IoError`]; each sector of the range holds what it held before or what it was to hold.
    fn write_at(&self, buf: &[u8], offset: u64, fua: bool) -> Result<(), IoError>;

    /// Makes `len` bytes from `offset` read as zeroes.
    ///
    /// # Errors
    /// As [`Self::write_at`].
    fn write_zeroes(&self, offset: u64, len: u64, fua: bool) -> Result<(), IoError>;

    /// The content of `len` bytes from `offset` is no longer needed. Advisory; what they read as is unspecified.
    ///
    /// # Errors
    /// See [`IoError`].
    fn trim(&self, offset: u64, len: u64, fua: bool) -> Result<(), IoError>;

    /// Every change that had ended before this was called is on the medium when it returns.
    ///
    /// # Errors
    /// See [`IoError`]; after a failure nothing can be promised any more.
    fn flush(&self) -> Result<(), IoError>;
}
