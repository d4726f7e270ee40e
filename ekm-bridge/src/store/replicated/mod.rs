//! One store, a whole copy of it on each of several *metadata drives*.
//!
//! ```text
//! ReplicatedStore ─┬─ Drive, Drive, …     a copy each        ← DirectoryDrive (a directory on a disk of its own)
//!                  └─ Witness             the newest epoch   ← FileWitness (a file on no metadata drive)
//! ```
//!
//! An *epoch* is a time in which the same drives take part. A transaction is acknowledged when it is durable on every
//! drive of the epoch; when one fails, the others begin a new epoch without it, in a transaction of its own, and the
//! witness learns of it before anything more is acknowledged. So whatever was ever acknowledged is on every drive of
//! the epoch that the witness names, and a copy from an earlier epoch is known to be old.
//!
//! Bytes, crash cases and the recovery table: `docs/format/metadata-drives.md`.

mod core;
#[cfg(test)]
mod crash_tests;
mod directory;
mod drive;
mod epoch;
mod membership;
#[cfg(test)]
mod model_tests;
mod recover;
#[cfg(test)]
mod recover_tests;
mod replica;
#[cfg(test)]
mod sim;
mod start;
mod witness;
#[cfg(test)]
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::core::{DriveHealth, Health};
pub use directory::DirectoryDrive;
pub use drive::{Drive, Found};
pub use epoch::Epoch;
pub use membership::DriveRefused;
pub use recover::{Label, RecoveryError};
pub use replica::{DriveId, Replica};
pub use start::StartError;
pub use witness::{FileWitness, Mark, Witness};

use self::core::Core;
use super::{Entry, Revision, Scrubbed, Snapshot, Store, StoreError, Transaction};

/// The store on several drives. It owns them: their locks are held as long as this lives.
pub struct ReplicatedStore(Mutex<Core>);

impl ReplicatedStore {
    /// Makes a new store, holding `contents`, on one empty drive; [`Self::add_drive`] takes the others.
    ///
    /// # Errors
    /// [`StartError::NotEmpty`] when there is a copy on the drive, or a witness remembers a store; nothing is changed.
    pub fn create(drive: Box<dyn Drive>, witness: Box<dyn Witness>, contents: &Snapshot) -> Result<Self, StartError> {
        start::create(drive, witness, contents).map(Self::over)
    }

    /// Opens the store from whichever of `drives` hold it: the newest complete copy counts, a copy that lacks only the
    /// last transaction is brought up to date, and every other drive is left out and named in [`Self::health`].
    ///
    /// # Errors
    /// [`RecoveryError::Fresh`] when every drive is empty and nothing says that there ever was a store: the one case
    /// for [`Self::create`]. Otherwise whatever forbids to choose; nothing is changed then.
    pub fn open(drives: Vec<Box<dyn Drive>>, witness: Box<dyn Witness>) -> Result<Self, StartError> {
        start::open(drives, witness).map(Self::over)
    }

    /// What became of each drive, in the order in which they were given.
    #[must_use]
    pub fn health(&self) -> Vec<DriveHealth> {
        self.core().health()
    }

    /// The drives that take part now.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.core().epoch().clone()
    }

    /// Copies the store to a drive and lets it take part. A drive that takes part already is left as it is.
    ///
    /// # Errors
    /// When the drive cannot be used, or holds something that must not be overwritten.
    pub fn add_drive(&self, drive: Box<dyn Drive>) -> Result<DriveId, DriveRefused> {
        membership::add(&mut self.core(), drive)
    }

    /// Ends the part of the drive called `name` and forgets it. Its copy stays on it, and is known to be old.
    ///
    /// # Errors
    /// When there is no such drive, it is the last one, or the others cannot be told.
    pub fn remove_drive(&self, name: &str) -> Result<(), DriveRefused> {
        membership::remove(&mut self.core(), name)
    }

    /// Everything in the store.
    ///
    /// # Errors
    /// As [`Store::get`].
    pub fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut core = self.core();
        let revision = core.revision();
        let mut entries = core.list("")?;
        entries.retain(|(key, _)| !replica::is_reserved(key));
        Ok(Snapshot { revision, entries })
    }

    fn over(core: Core) -> Self {
        Self(Mutex::new(core))
    }

    /// A thread that panicked inside left drives and revisions as they were after a completed step.
    fn core(&self) -> MutexGuard<'_, Core> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for ReplicatedStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        if replica::is_reserved(key) { Ok(None) } else { self.core().get(key) }
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        let mut found = self.core().list(prefix)?;
        found.retain(|(key, _)| !replica::is_reserved(key));
        Ok(found)
    }

    fn commit(&self, transaction: &Transaction) -> Result<Revision, StoreError> {
        transaction.check_limits()?;
        let mut keys = transaction.expected().keys().chain(transaction.changes().keys());
        if let Some(key) = keys.find(|key| replica::is_reserved(key)) {
            return Err(StoreError::Reserved(key.clone()));
        }
        self.core().commit(transaction)
    }

    fn scrub(&self) -> Result<Vec<Scrubbed>, StoreError> {
        self.core().scrub()
    }
}
