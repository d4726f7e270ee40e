//! What the cluster tells of its own accord: events, faults, results of work that goes on.

mod events;
mod faults;
mod results;

use serde_json::{Map, Value};

use crate::records::NewEvent;

pub(super) use faults::{FaultCode, new_fault, of_alarm};

/// The type of an event of a setting that was changed over the API.
pub(super) const API_EVENT: &str = "apiEvent";
/// The type of an event of keys.
pub(super) const ENCRYPTION_EVENT: &str = "encryptionAtRestEvent";

/// An event without details.
pub(super) fn event(kind: &str, message: &str, ids: Map<String, Value>) -> NewEvent {
    NewEvent { kind: kind.into(), message: message.into(), ids, details: Value::Null }
}

/// Ids by their names in the API.
pub(super) fn ids<const N: usize>(ids: [(&str, u64); N]) -> Map<String, Value> {
    ids.into_iter().map(|(name, id)| (name.to_owned(), Value::from(id))).collect()
}

/// One of these ids; 0 when it is not there.
fn id(ids: &Map<String, Value>, name: &str) -> u64 {
    ids.get(name).and_then(Value::as_u64).unwrap_or(0)
}
