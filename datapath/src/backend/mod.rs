//! Where ciphertext is kept, as plain calls that block until they are done: the reference for what a ring does.
//!
//! [`mod@file`] is a file or block device, [`mem`] keeps everything in memory. A backend that a ring can work on says so
//! by [`Backend::descriptor`]; the volume then leaves reads, writes and flushes to the ring, and these calls are for
//! what is rare.

pub mod file;
pub mod mem;

use std::io;
use std::os::fd::OwnedFd;

/// A store of bytes. Calls may come from many threads at a time.
pub trait Backend: Send + Sync {
    /// Length in bytes, now.
    ///
    /// # Errors
    /// When the medium cannot tell.
    fn len(&self) -> io::Result<u64>;

    /// Whether it has no bytes at all.
    ///
    /// # Errors
    /// When the medium cannot tell.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buf`, all of it. Offset, length and address are multiples of the granule that the backend was opened for.
    ///
    /// # Errors
    /// The medium's own, or `UnexpectedEof` when it ends first.
    fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// Stores `buf`, all of it; with `sync` it is on the medium before this returns. Aligned as for a read.
    ///
    /// # Errors
    /// The medium's own; any part may then have been written.
    fn write(&self, buf: &[u8], offset: u64, sync: bool) -> io::Result<()>;

    /// Gives the range's space back; it may read as anything afterwards. Advisory: a backend that cannot succeeds.
    ///
    /// # Errors
    /// The medium's own.
    fn discard(&self, offset: u64, len: u64) -> io::Result<()>;

    /// Returns once every write and discard that had returned before is on the medium.
    ///
    /// # Errors
    /// The medium's own; nothing may be assumed of earlier writes then.
    fn flush(&self) -> io::Result<()>;

    /// For each ring that works on it, a descriptor of its own, opened for it alone, so that each is told of every failed
    /// write-back; `None` when calls are as good or better: memory, and
    /// files in memory, where the kernel would hand every operation of a ring to another thread.
    ///
    /// # Errors
    /// When the operating system has no descriptor left.
    fn descriptor(&self) -> io::Result<Option<OwnedFd>> {
        Ok(None)
    }
}
