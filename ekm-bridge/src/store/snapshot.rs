//! All of a store at one moment.

use super::{Entry, Revision};

/// Everything a store holds, as of one revision. The default is the empty store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The revision of the last transaction in it.
    pub revision: Revision,
    /// Keys and entries, in byte order of the keys.
    pub entries: Vec<(String, Entry)>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self { revision: Revision::ABSENT, entries: Vec::new() }
    }
}

impl Snapshot {
    /// The entry under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|(known, _)| known.as_str().cmp(key)).ok()?;
        Some(&self.entries[at].1)
    }

    /// Gives `key` an entry, in its place in the order.
    pub fn set(&mut self, key: &str, entry: Entry) {
        match self.entries.binary_search_by(|(known, _)| known.as_str().cmp(key)) {
            Ok(at) => self.entries[at].1 = entry,
            Err(at) => self.entries.insert(at, (key.to_owned(), entry)),
        }
    }
}
