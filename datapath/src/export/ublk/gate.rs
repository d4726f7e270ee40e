//! What a device's queues, on their threads, tell the thread that starts and stops it.

use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The queues of a device: how many there are, and the first failure.
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    queues: u16,
    failure: Option<io::Error>,
}

impl Gate {
    /// For so many queues.
    pub(super) fn new(queues: u16) -> Self {
        Self { state: Mutex::new(State { queues, failure: None }), changed: Condvar::new() }
    }

    /// A queue is gone.
    pub(super) fn leave(&self) {
        let mut state = self.state();
        state.queues = state.queues.saturating_sub(1);
        drop(state);
        self.changed.notify_all();
    }

    /// A queue has failed.
    pub(super) fn fail(&self, error: io::Error) {
        tracing::error!(%error, "a queue of a ublk device failed");
        self.state().failure.get_or_insert(error);
        self.changed.notify_all();
    }

    /// Whether a queue has failed, or has left.
    pub(super) fn has_failed(&self) -> bool {
        self.state().failure.is_some()
    }

    /// The failure.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.state().failure.take()
    }

    /// Whether all queues are gone, within `limit`.
    pub(super) fn is_empty_within(&self, limit: Duration) -> bool {
        let waited = self.changed.wait_timeout_while(self.state(), limit, |state| state.queues > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.queues == 0
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
