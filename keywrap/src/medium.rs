//! What a header is read from and written to: a file or block device here, a crash simulator in the tests.

mod direct;
mod durable;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// A random-access medium with an explicit durability point.
///
/// A write may be torn, reordered or lost by a power cut until a later [`Medium::sync`] has returned `Ok`.
pub trait Medium {
    /// Length in bytes.
    ///
    /// # Errors
    /// When the medium cannot tell.
    fn len(&self) -> io::Result<u64>;

    /// Whether the medium holds no byte at all.
    ///
    /// # Errors
    /// When the medium cannot tell.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buf` from byte `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` when the medium ends first, or the medium's own error.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of `buf` at byte `offset`.
    ///
    /// # Errors
    /// The medium's own error; any prefix may then have been written.
    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()>;

    /// Returns once every earlier write is durable.
    ///
    /// # Errors
    /// The medium's own error; nothing may be assumed of earlier writes then.
    fn sync(&self) -> io::Result<()>;

    /// Writes all of `buf` at byte `offset`, and returns once these bytes are durable. Nothing is said of earlier writes: on a
    /// file that others write to as well, those are not waited for.
    ///
    /// # Errors
    /// Those of [`Medium::write_all_at`] and [`Medium::sync`].
    fn write_durably_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(buf, offset)?;
        self.sync()
    }

    /// Takes the exclusive advisory lock on the medium without waiting; taking it again through the same handle is
    /// harmless. A medium that nobody else can reach has none to take.
    ///
    /// # Errors
    /// `WouldBlock` when someone else has it, or the medium's own error.
    fn lock(&self) -> io::Result<()> {
        Ok(())
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// The medium's own error.
    fn unlock(&self) -> io::Result<()> {
        Ok(())
    }

    /// As [`Medium::read_exact_at`], from the device itself where the medium can: not from what the operating system
    /// has cached. Returns whether it did. Used to verify what was written and synced.
    ///
    /// # Errors
    /// Those of [`Medium::read_exact_at`].
    fn read_back_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        self.read_exact_at(buf, offset)?;
        Ok(false)
    }
}

impl Medium for File {
    fn len(&self) -> io::Result<u64> {
        // Seeking to the end tells the size of a block device too, where the metadata says 0.
        io::Seek::seek(&mut &*self, io::SeekFrom::End(0))
    }

    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buf, offset)
    }

    fn write_all_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, buf, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }

    fn write_durably_at(&self, buf: &[u8], offset: u64) -> io::Result<()> {
        durable::write_all_at(self, buf, offset)
    }

    /// `flock(2)`, which cryptsetup takes too on a header in a plain file.
    fn lock(&self) -> io::Result<()> {
        self.try_lock().map_err(io::Error::from)
    }

    fn unlock(&self) -> io::Result<()> {
        Self::unlock(self)
    }

    fn read_back_at(&self, buf: &mut [u8], offset: u64) -> io::Result<bool> {
        // A filesystem without O_DIRECT, or a range that is not aligned to its blocks, is read the ordinary way.
        if direct::read_exact_at(self, buf, offset).is_ok() {
            return Ok(true);
        }
        FileExt::read_exact_at(self, buf, offset)?;
        Ok(false)
    }
}
