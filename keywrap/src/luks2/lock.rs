//! One writer at a time: an advisory lock on the medium for as long as a header is being changed.

use super::store::{StoreError, io_error};
use crate::medium::Medium;

/// The exclusive lock on a medium, given back on drop.
pub struct Locked<'m>(&'m dyn Medium);

impl<'m> Locked<'m> {
    /// Takes the lock, or says at once that someone else has it.
    ///
    /// # Errors
    /// [`StoreError::InUse`], or the medium's own error.
    pub fn take(medium: &'m dyn Medium) -> Result<Self, StoreError> {
        match medium.lock() {
            Ok(()) => Ok(Self(medium)),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Err(StoreError::InUse),
            Err(error) => Err(io_error("locking", "header", 0)(error)),
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Nothing depends on it: closing the file gives the lock back too.
        let _ = self.0.unlock();
    }
}
