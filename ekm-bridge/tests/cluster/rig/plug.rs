//! Power that can be cut after a number of durable steps. What comes after is not done and fails.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use ekm_bridge::store::{Entry, MemoryStore, Revision, Store, StoreError, Transaction};

#[derive(Clone)]
pub(crate) struct Plug {
    left: Arc<AtomicU64>,
    used: Arc<AtomicU64>,
    /// What each step was.
    names: Arc<Mutex<Vec<String>>>,
}

impl Default for Plug {
    fn default() -> Self {
        Self { left: Arc::new(AtomicU64::new(u64::MAX)), used: Arc::default(), names: Arc::default() }
    }
}

impl Plug {
    pub(crate) fn cut_after(&self, steps: u64) {
        self.left.store(steps, Ordering::SeqCst);
    }

    pub(crate) fn repair(&self) {
        self.cut_after(u64::MAX);
    }

    /// Steps since the last question.
    pub(crate) fn used(&self) -> u64 {
        self.used.swap(0, Ordering::SeqCst)
    }

    /// What the steps since the last question were.
    pub(crate) fn names(&self) -> Vec<String> {
        std::mem::take(&mut self.names.lock().unwrap())
    }

    /// Steps that there is power for.
    pub(super) fn left(&self) -> u64 {
        self.left.load(Ordering::SeqCst)
    }

    /// Whether there is power for one more step, which is called this.
    pub(super) fn step(&self, name: impl Into<String>) -> bool {
        let taken = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
            u64::MAX => Some(left),
            _ => left.checked_sub(1),
        });
        self.used.fetch_add(u64::from(taken.is_ok()), Ordering::SeqCst);
        if taken.is_ok() {
            self.names.lock().unwrap().push(name.into());
        }
        taken.is_ok()
    }
}

/// A store whose commits need power.
pub(super) struct CutStore {
    pub(super) inner: Arc<MemoryStore>,
    pub(super) plug: Plug,
}

impl Store for CutStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.inner.get(key)
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        self.inner.list(prefix)
    }

    fn commit(&self, transaction: &Transaction) -> Result<Revision, StoreError> {
        if self.plug.step(format!("store: {}", kinds(transaction))) {
            return self.inner.commit(transaction);
        }
        Err(StoreError::Unavailable { path: "model".into(), reason: "the power is cut".into() })
    }
}

/// The kinds of record that a transaction changes.
fn kinds(transaction: &Transaction) -> String {
    let kind = |key: &String| {
        let mut parts = key.split('/');
        match parts.next() {
            Some("table" | "index") | None => None,
            // A provider's own record, such as `external/1/intent/ID`.
            Some(first @ ("external" | "provider")) => Some(format!("{first} {}", parts.nth(1).unwrap_or_default())),
            Some(first) => Some(first.to_owned()),
        }
    };
    let kinds: BTreeSet<String> = transaction.changes().keys().filter_map(kind).collect();
    kinds.into_iter().collect::<Vec<_>>().join(", ")
}
