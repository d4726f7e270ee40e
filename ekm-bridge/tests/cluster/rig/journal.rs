//! An audit log in memory.

use std::sync::Mutex;

use ekm_bridge::cluster::Journal;
use ekm_bridge::time::UnixSeconds;
use serde_json::Value;

/// Its entries, in the order in which they came.
#[derive(Default)]
pub(crate) struct Notes(Mutex<Vec<(UnixSeconds, String)>>);

impl Notes {
    pub(crate) fn entries(&self) -> Vec<(UnixSeconds, String)> {
        self.0.lock().unwrap().clone()
    }
}

impl Journal for Notes {
    fn note(&self, at: UnixSeconds, what: &str, details: &Value) -> Option<String> {
        let mut notes = self.0.lock().unwrap();
        notes.push((at, format!("{what} {details}")));
        Some(format!("{}:model", notes.len()))
    }
}
