//! The copy on one drive: the store's entries, and what says whose copy it is.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::epoch::Epoch;
use crate::store::{Entry, Revision, Snapshot};

/// Keys that begin so belong to the replication.
const RESERVED: &str = "replica/";

/// The id of the store, the same in every copy.
pub(super) const STORE: &str = "replica/store";

/// The id of the drive: the one entry in which copies differ.
pub(super) const DRIVE: &str = "replica/drive";

pub(super) fn is_reserved(key: &str) -> bool {
    key.starts_with(RESERVED)
}

/// The name of a drive's copy, given when it first took part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DriveId(pub Uuid);

impl fmt::Display for DriveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A copy, read and understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Which store it is a copy of.
    pub store: Uuid,
    /// On which drive it is.
    pub drive: DriveId,
    /// The epochs before its last, by number.
    earlier: Vec<Epoch>,
    /// The last epoch it knows.
    last: Epoch,
    /// Everything in it, the entries above included.
    pub snapshot: Snapshot,
}

impl Replica {
    /// Understands what a drive holds.
    ///
    /// # Errors
    /// What is missing or illegible.
    pub fn parse(snapshot: Snapshot) -> Result<Self, String> {
        let store = uuid_at(&snapshot, STORE)?;
        let drive = DriveId(uuid_at(&snapshot, DRIVE)?);
        let mut earlier = epochs_of(&snapshot)?;
        let last = earlier.pop().ok_or("it knows no epoch")?;
        Ok(Self { store, drive, earlier, last, snapshot })
    }

    /// The first copy of a new store, on `drive` alone.
    pub(super) fn first(contents: &Snapshot, store: Uuid, drive: DriveId) -> Result<Self, String> {
        let too_long = || "its counters are at their end".to_owned();
        let start = Revision(contents.revision.0.checked_add(1).ok_or_else(too_long)?);
        let epoch = Epoch::after(0, start, vec![drive]).ok_or_else(too_long)?;
        let entries = contents.entries.iter().filter(|(key, _)| !is_reserved(key)).cloned().collect();
        let mut snapshot = Snapshot { revision: start, entries };
        let value = epoch.value().map_err(|error| error.to_string())?;
        snapshot.set(&epoch.key(), Entry { revision: start, value });
        snapshot.set(STORE, Entry { revision: start, value: store.to_string().into_bytes() });
        Self::parse(for_drive(snapshot, drive))
    }

    /// The last epoch it knows.
    #[must_use]
    pub fn epoch(&self) -> &Epoch {
        &self.last
    }

    /// Its revision.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.snapshot.revision
    }

    /// Whether it takes part in its own last epoch, and so holds all that was acknowledged in it.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.epoch().has(self.drive)
    }

    /// The epoch of this number.
    pub(super) fn epoch_at(&self, number: u64) -> Option<&Epoch> {
        self.earlier.iter().chain([&self.last]).find(|epoch| epoch.number == number)
    }

    /// The last revision of the epoch of this number; `None` while it lasts, or when it is not known.
    pub(super) fn end_of(&self, number: u64) -> Option<Revision> {
        let next = self.epoch_at(number.checked_add(1)?)?;
        Some(Revision(next.start.0.saturating_sub(1)))
    }

    /// The first key under which two copies differ, other than the name of the drive.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        let (mut ours, mut theirs) = (self.shared(), other.shared());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return None,
                (a, b) if a == b => {}
                (a, b) => return a.into_iter().chain(b).map(|(key, _)| key.clone()).min(),
            }
        }
    }

    /// The entries that are the same on every drive.
    fn shared(&self) -> impl Iterator<Item = &(String, Entry)> {
        self.snapshot.entries.iter().filter(|(key, _)| key != DRIVE)
    }
}

/// The same contents, named after `drive`.
pub(super) fn for_drive(mut snapshot: Snapshot, drive: DriveId) -> Snapshot {
    let revision = snapshot.get(DRIVE).map_or(snapshot.revision, |entry| entry.revision);
    snapshot.set(DRIVE, Entry { revision, value: drive.to_string().into_bytes() });
    snapshot
}

fn uuid_at(snapshot: &Snapshot, key: &str) -> Result<Uuid, String> {
    let entry = snapshot.get(key).ok_or_else(|| format!("it has no entry {key}"))?;
    let text = str::from_utf8(&entry.value).ok();
    text.and_then(|text| Uuid::try_parse(text).ok()).ok_or_else(|| format!("its entry {key} is not a UUID"))
}

/// All epochs, which are numbered without a gap and begin one after the other.
fn epochs_of(snapshot: &Snapshot) -> Result<Vec<Epoch>, String> {
    let mut epochs: Vec<Epoch> = Vec::new();
    for (key, entry) in snapshot.entries.iter().filter(|(key, _)| key.starts_with(Epoch::PREFIX)) {
        let epoch = Epoch::parse(key, entry.revision, &entry.value).ok_or_else(|| format!("its {key} is illegible"))?;
        let (number, start) = epochs.last().map_or((0, Revision::ABSENT), |last| (last.number, last.start));
        let follows = number.checked_add(1) == Some(epoch.number) && start < epoch.start;
        if !follows || epoch.start > snapshot.revision {
            return Err(format!("its {key} does not follow from what is before it"));
        }
        epochs.push(epoch);
    }
    Ok(epochs)
}
