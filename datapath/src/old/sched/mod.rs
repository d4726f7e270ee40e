//! In which order a volume's operations start. Sans-I/O: it is told what arrives and what ends, and says what may
//! start.
//!
//! Two rules, over all connections of a volume together:
//! 1. An operation starts only after every earlier one that overlaps it has ended, unless both only read. So a
//!    read-modify-write never sees half of another write, and each sector ends as one writer left it.
//! 2. The operations that have started and not ended hold at most [`MAX_IN_FLIGHT`] bytes.
//!
//! Who may start is served in order of becoming free, so nobody starves.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use crate::limits::MAX_IN_FLIGHT;

/// What an operation claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The sectors that it touches; empty for one that touches none.
    pub sectors: Range<u64>,
    /// It changes them.
    pub exclusive: bool,
    /// Bytes of memory that it holds while it runs; more than [`MAX_IN_FLIGHT`] counts as that.
    pub bytes: u64,
}

impl Claim {
    fn conflicts(&self, other: &Self) -> bool {
        let start = self.sectors.start.max(other.sectors.start);
        let end = self.sectors.end.min(other.sectors.end);
        (self.exclusive || other.exclusive) && start < end
    }
}

/// Names an operation that has started; handed back when it ends.
#[derive(Debug, PartialEq, Eq)]
pub struct Ticket(u64);

/// The operations of one volume that have arrived and not ended, with what the caller keeps about each.
pub struct Scheduler<T> {
    next: u64,
    entries: BTreeMap<u64, Entry<T>>,
    ready: VecDeque<u64>,
    in_flight: u64,
}

struct Entry<T> {
    claim: Claim,
    /// How many earlier operations must end first.
    blockers: usize,
    /// Taken when it starts.
    item: Option<T>,
}

impl<T> Default for Scheduler<T> {
    fn default() -> Self {
        Self { next: 0, entries: BTreeMap::new(), ready: VecDeque::new(), in_flight: 0 }
    }
}

impl<T> Scheduler<T> {
    /// An operation arrives. It starts when [`Self::start_next`] returns it.
    pub fn arrive(&mut self, claim: Claim, item: T) {
        let blockers = self.entries.values().filter(|earlier| earlier.claim.conflicts(&claim)).count();
        let id = self.next;
        self.next += 1;
        if blockers == 0 {
            self.ready.push_back(id);
        }
        let claim = Claim { bytes: claim.bytes.min(MAX_IN_FLIGHT), ..claim };
        self.entries.insert(id, Entry { claim, blockers, item: Some(item) });
    }

    /// The next operation that may start now, if there is one. The caller starts it.
    pub fn start_next(&mut self) -> Option<(Ticket, T)> {
        let id = *self.ready.front()?;
        let entry = self.entries.get_mut(&id)?;
        if self.in_flight + entry.claim.bytes > MAX_IN_FLIGHT {
            return None;
        }
        let item = entry.item.take()?;
        self.in_flight += entry.claim.bytes;
        self.ready.pop_front();
        Some((Ticket(id), item))
    }

    /// An operation that had started has ended.
    pub fn end(&mut self, Ticket(id): Ticket) {
        let Some(ended) = self.entries.remove(&id) else { return };
        self.in_flight -= ended.claim.bytes;
        for (later, entry) in self.entries.range_mut(id..) {
            if entry.claim.conflicts(&ended.claim) {
                entry.blockers -= 1;
                if entry.blockers == 0 {
                    self.ready.push_back(*later);
                }
            }
        }
    }

    /// Whether every operation that arrived has ended.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.entries.is_empty()
    }
}
