//! A store that forgets: for tests and simulations, and the plainest statement of what every store promises.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Change, Entry, Revision, Snapshot, Store, StoreError, Transaction};

/// Keys and values in memory. Nothing survives the process.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    revision: u64,
    entries: BTreeMap<String, Entry>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A store that holds what a snapshot holds.
    #[must_use]
    pub fn holding(snapshot: &Snapshot) -> Self {
        let entries = snapshot.entries.iter().cloned().collect();
        Self(Mutex::new(State { revision: snapshot.revision.0, entries }))
    }

    /// Everything in it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let state = self.state();
        let entries = state.entries.iter().map(|(key, entry)| (key.clone(), entry.clone())).collect();
        Snapshot { revision: Revision(state.revision), entries }
    }

    /// A panic of another thread cannot leave the map half changed: changes are made only after all checks.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.state().entries.get(key).cloned())
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        let state = self.state();
        let found = state.entries.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(key, entry)| (key.clone(), entry.clone())).collect())
    }

    fn commit(&self, transaction: &Transaction) -> Result<Revision, StoreError> {
        transaction.check_limits()?;
        let mut state = self.state();
        for (key, &expected) in transaction.expected() {
            let found = state.entries.get(key).map_or(Revision::ABSENT, |entry| entry.revision);
            if found != expected {
                return Err(StoreError::Conflict { key: key.clone(), expected, found });
            }
        }
        state.revision += 1;
        let revision = Revision(state.revision);
        for (key, change) in transaction.changes() {
            match change {
                Change::Put(value) => {
                    drop(state.entries.insert(key.clone(), Entry { revision, value: value.clone() }));
                }
                Change::Delete => drop(state.entries.remove(key)),
            }
        }
        Ok(revision)
    }
}
