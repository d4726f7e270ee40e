//! The drives and the order of what is done to them. One thread at a time.
//!
//! ```text
//!            commit: every drive in use, in order
//!                 │
//!     all durable │ some failed: leave them out
//!         ┌───────┴───────┐
//!         │               ▼
//!         │     epoch due ──▶ begin an epoch on the others ──▶ mark due ──▶ tell the witness
//!         ▼               (again when one fails in it)                          │
//!    acknowledge ◀──────────────────────────────────────────────────────────────┘
//! ```

use uuid::Uuid;

use super::drive::Drive;
use super::epoch::Epoch;
use super::replica::DriveId;
use super::witness::{Mark, Witness};
use crate::store::{Entry, Revision, Scrubbed, StoreError, Transaction};

/// Whether a drive takes part, and why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It holds everything, and every transaction goes to it.
    InUse,
    /// It works and has no part in the store: it can be added.
    Available(String),
    /// It failed, or what is on it cannot be used.
    Failed(String),
}

/// A drive and its health, for people and for faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DriveHealth {
    /// The drive's name: the path of its directory.
    pub name: String,
    /// The id of the copy on it, when it has one of this store.
    pub id: Option<DriveId>,
    /// Its health.
    pub health: Health,
}

/// A drive in the list.
pub(super) struct Slot {
    pub(super) drive: Box<dyn Drive>,
    pub(super) id: Option<DriveId>,
    pub(super) health: Health,
}

impl Slot {
    pub(super) fn in_use(&self) -> bool {
        self.health == Health::InUse
    }

    /// Takes the drive out of use. It is not touched again until it is added anew.
    pub(super) fn fail(&mut self, error: &StoreError) {
        self.health = Health::Failed(error.to_string());
        self.drive.close();
    }
}

/// All state of the replication.
pub(super) struct Core {
    pub(super) slots: Vec<Slot>,
    witness: Box<dyn Witness>,
    store: Uuid,
    epoch: Epoch,
    revision: Revision,
    /// The drives in use are no longer those of the epoch.
    epoch_due: bool,
    /// The witness does not know the epoch yet.
    mark_due: bool,
}

impl Core {
    /// The state over drives of which at least one is in use, `epoch` and `revision` being those of its copy.
    pub(super) fn new(
        slots: Vec<Slot>,
        witness: Box<dyn Witness>,
        store: Uuid,
        epoch: Epoch,
        revision: Revision,
    ) -> Self {
        let mut core = Self { slots, witness, store, epoch, revision, epoch_due: false, mark_due: true };
        core.check_members();
        core
    }

    pub(super) fn store(&self) -> Uuid {
        self.store
    }

    pub(super) fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    pub(super) fn health(&self) -> Vec<DriveHealth> {
        let health = |slot: &Slot| DriveHealth { name: slot.drive.name(), id: slot.id, health: slot.health.clone() };
        self.slots.iter().map(health).collect()
    }

    pub(super) fn get(&mut self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.read(|drive| drive.get(key))
    }

    pub(super) fn list(&mut self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        self.read(|drive| drive.list(prefix))
    }

    /// Reads from the first drive that can be read; those that cannot are left out.
    pub(super) fn read<T>(
        &mut self,
        mut read: impl FnMut(&mut dyn Drive) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        while let Some(slot) = self.slots.iter_mut().find(|slot| slot.in_use()) {
            match read(slot.drive.as_mut()) {
                Ok(answer) => return Ok(answer),
                Err(error) => slot.fail(&error),
            }
            self.epoch_due = true;
        }
        Err(self.no_drive())
    }

    /// Commits on every drive in use, and acknowledges only what a restart would find again.
    pub(super) fn commit(&mut self, transaction: &Transaction) -> Result<Revision, StoreError> {
        self.settle()?;
        let at = self.next_revision()?;
        let outcome = self.commit_everywhere(transaction, at);
        if outcome.is_ok() {
            self.revision = at;
        }
        self.settle()?;
        outcome.map(|()| at)
    }

    /// Scrubs every drive in use. One that fails takes part no longer; the others are not in use and keep what they have.
    pub(super) fn scrub(&mut self) -> Result<Vec<Scrubbed>, StoreError> {
        let mut places = Vec::new();
        for slot in &mut self.slots {
            if slot.in_use()
                && let Err(error) = slot.drive.scrub()
            {
                slot.fail(&error);
            }
            let (in_use, failure) = match &slot.health {
                Health::InUse => (true, None),
                Health::Available(why) | Health::Failed(why) => (false, Some(why.clone())),
            };
            places.push(Scrubbed { place: slot.drive.name(), in_use, failure });
        }
        self.check_members();
        self.settle()?;
        Ok(places)
    }

    /// Makes the epoch fit the drives in use, and the witness know it.
    pub(super) fn settle(&mut self) -> Result<(), StoreError> {
        while self.epoch_due {
            self.begin_epoch()?;
        }
        if self.mark_due {
            self.witness.store(&self.mark())?;
            self.mark_due = false;
        }
        Ok(())
    }

    /// Looks whether other drives are in use than the epoch says: then one must begin before anything is acknowledged.
    pub(super) fn check_members(&mut self) {
        self.epoch_due |= self.members_changed();
    }

    fn begin_epoch(&mut self) -> Result<(), StoreError> {
        let at = self.next_revision()?;
        let epoch = Epoch::after(self.epoch.number, at, self.members()).ok_or_else(|| self.no_drive())?;
        let value = epoch.value().map_err(|error| StoreError::NoDrive(error.to_string()))?;
        let transaction = Transaction::new().expect(epoch.key(), Revision::ABSENT).put(epoch.key(), value);
        self.commit_everywhere(&transaction, at)?;
        (self.epoch, self.revision) = (epoch, at);
        self.mark_due = true;
        self.epoch_due = self.members_changed();
        Ok(())
    }

    /// Success when at least one drive has it durably. Every drive in use then has; the others have failed.
    fn commit_everywhere(&mut self, transaction: &Transaction, at: Revision) -> Result<(), StoreError> {
        let (mut done, mut failed) = (false, false);
        for slot in self.slots.iter_mut().filter(|slot| slot.in_use()) {
            match slot.drive.commit(transaction, at) {
                Ok(()) => done = true,
                // The first drive to answer speaks for all: nothing has happened on any.
                Err(conflict @ StoreError::Conflict { .. }) if !done => {
                    self.epoch_due |= failed;
                    return Err(conflict);
                }
                Err(error) => {
                    slot.fail(&error);
                    failed = true;
                }
            }
        }
        self.epoch_due |= failed;
        if done { Ok(()) } else { Err(self.no_drive()) }
    }

    fn members(&self) -> Vec<DriveId> {
        let mut members: Vec<_> = self.slots.iter().filter(|slot| slot.in_use()).filter_map(|slot| slot.id).collect();
        members.sort_unstable();
        members
    }

    fn members_changed(&self) -> bool {
        let mut recorded = self.epoch.members.clone();
        recorded.sort_unstable();
        self.members() != recorded
    }

    fn mark(&self) -> Mark {
        let in_use = self.slots.iter().filter(|slot| slot.in_use());
        let members = in_use.filter_map(|slot| Some((slot.id?, slot.drive.name()))).collect();
        Mark::new(self.store, self.epoch.number, self.epoch.id, members)
    }

    fn next_revision(&self) -> Result<Revision, StoreError> {
        let used_up = || StoreError::NoDrive("the revision counter is at its end".into());
        self.revision.0.checked_add(1).map(Revision).ok_or_else(used_up)
    }

    fn no_drive(&self) -> StoreError {
        let describe = |slot: &Slot| match &slot.health {
            Health::InUse => slot.drive.name(),
            Health::Available(why) | Health::Failed(why) => format!("{}: {why}", slot.drive.name()),
        };
        StoreError::NoDrive(self.slots.iter().map(describe).collect::<Vec<_>>().join("; "))
    }
}
