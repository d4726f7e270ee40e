//! What happened in the cluster: a log of bounded length, oldest dropped.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::counted_id;
use super::record::Record;
use super::{RecordError, Records, Work};
use crate::time::UnixSeconds;

counted_id! {
    /// Counted without a gap.
    pub EventId
}

/// Events that are kept unless told otherwise.
pub const CAPACITY: u64 = 5000;

/// Events dropped in one transaction when a log is made smaller; each is one change of at most 128.
const DROPPED_AT_ONCE: u64 = 100;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// When it happened.
    pub time: UnixSeconds,
    /// What happened.
    pub what: NewEvent,
}

/// An event as whoever sees it tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// The type of the API, such as `encryptionAtRestEvent`.
    pub kind: String,
    /// What happened, for people.
    pub message: String,
    /// The ids of the API that it is about, by name.
    pub ids: Map<String, Value>,
    /// What a program may want to know.
    pub details: Value,
}

impl Record for Event {
    const KIND: &'static str = "event";
    type Id = EventId;

    fn id(&self) -> EventId {
        self.id
    }
}

/// Which events are meant: those that pass every filter that is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Not before this id.
    pub first: Option<EventId>,
    /// Not after this id.
    pub last: Option<EventId>,
    /// Not before this time.
    pub from: Option<UnixSeconds>,
    /// Not after this time.
    pub until: Option<UnixSeconds>,
    /// Of this type, in any case of letters.
    pub kind: Option<String>,
    /// About these ids.
    pub ids: Map<String, Value>,
    /// At most so many, the newest.
    pub limit: Option<usize>,
}

impl EventQuery {
    fn is_met(&self, event: &Event) -> bool {
        self.first.is_none_or(|first| event.id >= first)
            && self.last.is_none_or(|last| event.id <= last)
            && self.from.is_none_or(|from| event.time >= from)
            && self.until.is_none_or(|until| event.time <= until)
            && self.kind.as_ref().is_none_or(|kind| kind.eq_ignore_ascii_case(&event.what.kind))
            && self.ids.iter().all(|(name, id)| event.what.ids.get(name) == Some(id))
    }
}

/// The events of a cluster.
#[derive(Clone, Copy)]
pub struct EventLog<'a> {
    records: &'a Records,
    capacity: u64,
}

impl<'a> EventLog<'a> {
    /// The events among these records, [`CAPACITY`] of them.
    #[must_use]
    pub fn new(records: &'a Records) -> Self {
        Self { records, capacity: CAPACITY }
    }

    /// The same, of another length of at least one. [`Self::trim`] applies a smaller one to what is there.
    #[must_use]
    pub fn with_capacity(self, capacity: u64) -> Self {
        Self { capacity: capacity.max(1), ..self }
    }

    /// Records an event, and drops the one that no longer fits.
    ///
    /// # Errors
    /// When the store fails.
    pub fn append(&self, what: &NewEvent, now: UnixSeconds) -> Result<Event, RecordError> {
        self.records.transact(|work| self.append_in(work, what, now))
    }

    /// The same as part of another change, so that both happen or neither.
    ///
    /// # Errors
    /// When the store fails.
    pub fn append_in(&self, work: &mut Work<'_>, what: &NewEvent, now: UnixSeconds) -> Result<Event, RecordError> {
        let event = work.insert(|id| Event { id, time: now, what: what.clone() })?;
        if let Some(too_old) = event.id.0.checked_sub(self.capacity) {
            work.delete::<Event>(EventId(too_old))?;
        }
        Ok(event)
    }

    /// The events that are meant, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn query(&self, query: &EventQuery) -> Result<Vec<Event>, RecordError> {
        let mut events = self.records.table::<Event>().list()?;
        events.retain(|event| query.is_met(event));
        let surplus = query.limit.map_or(0, |limit| events.len().saturating_sub(limit));
        Ok(events.split_off(surplus))
    }

    /// Drops what a smaller capacity has no room for.
    ///
    /// # Errors
    /// When the store fails.
    pub fn trim(&self) -> Result<(), RecordError> {
        let events = self.records.table::<Event>().list()?;
        let (Some(oldest), Some(newest)) = (events.first(), events.last()) else { return Ok(()) };
        let keep_from = newest.id.0.saturating_sub(self.capacity).saturating_add(1);
        let mut next = oldest.id.0;
        while next < keep_from {
            let end = keep_from.min(next.saturating_add(DROPPED_AT_ONCE));
            self.records.transact(|work| (next..end).try_for_each(|id| work.delete::<Event>(EventId(id)).map(drop)))?;
            next = end;
        }
        Ok(())
    }
}
