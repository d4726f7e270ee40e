//! A place for one copy, as the replication sees it. The directory on a disk is one; a simulated disk is another.

use super::replica::Replica;
use crate::store::{Entry, Revision, Snapshot, StoreError, Transaction};

/// What is on a drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The drive cannot be reached: not there, not mounted, not readable.
    Absent(String),
    /// Another process uses it. Not a failure of the drive: nobody may decide anything now.
    Busy(String),
    /// The drive is there, and has no store.
    Empty,
    /// There is something, and it is no sound copy.
    Damaged(String),
    /// A sound copy.
    Present(Box<Replica>),
}

/// A drive. After an error of any verb but [`Self::look`] the caller closes it and does not use it further.
pub trait Drive: Send {
    /// Its name for people, and the one by which it is found again: the path of the directory.
    fn name(&self) -> String;

    /// Reads all that is on it, verifying it. Makes nothing.
    fn look(&mut self) -> Found;

    /// The entry under `key`.
    ///
    /// # Errors
    /// When it cannot be read.
    fn get(&mut self, key: &str) -> Result<Option<Entry>, StoreError>;

    /// All entries under `prefix`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn list(&mut self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError>;

    /// Applies the transaction durably, as exactly this revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when an expected revision does not hold; nothing was done then. After any other error
    /// the transaction may have happened or not.
    fn commit(&mut self, transaction: &Transaction, revision: Revision) -> Result<(), StoreError>;

    /// Makes `snapshot` all there is on the drive, durably; a crash leaves either this or what was there before.
    ///
    /// # Errors
    /// When it cannot be written. The drive then holds one or the other.
    fn replace(&mut self, snapshot: &Snapshot) -> Result<(), StoreError>;

    /// Writes all that is on the drive anew, and leaves nothing of what was deleted or replaced earlier.
    ///
    /// # Errors
    /// When it cannot be read or written. The drive holds what it held.
    fn scrub(&mut self) -> Result<(), StoreError> {
        match self.look() {
            Found::Present(copy) => self.replace(&copy.snapshot),
            other => Err(StoreError::NoDrive(format!("{}: {other:?}", self.name()))),
        }
    }

    /// Lets go of files and locks.
    fn close(&mut self);
}
