//! Power that can be cut after a number of durable steps. What comes after is not done and fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ekm_bridge::store::{Entry, MemoryStore, Revision, Store, StoreError, Transaction};

#[derive(Clone)]
pub(crate) struct Plug {
    left: Arc<AtomicU64>,
    used: Arc<AtomicU64>,
}

impl Default for Plug {
    fn default() -> Self {
        Self { left: Arc::new(AtomicU64::new(u64::MAX)), used: Arc::default() }
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

    /// Whether there is power for one more step.
    pub(super) fn step(&self) -> bool {
        let taken = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| match left {
            u64::MAX => Some(left),
            _ => left.checked_sub(1),
        });
        self.used.fetch_add(u64::from(taken.is_ok()), Ordering::SeqCst);
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
        if self.plug.step() {
            return self.inner.commit(transaction);
        }
        Err(StoreError::Unavailable { path: "model".into(), reason: "the power is cut".into() })
    }
}
