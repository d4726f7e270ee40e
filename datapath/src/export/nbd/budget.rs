//! A number of bytes that may be in flight; who wants more waits.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// A budget of bytes, shared by who holds a clone.
#[derive(Clone)]
pub(super) struct Budget(Arc<Inner>);

struct Inner {
    free: Mutex<u64>,
    returned: Condvar,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self(Arc::new(Inner { free: Mutex::new(bytes), returned: Condvar::new() }))
    }

    /// Takes `cost` bytes, when they are free. A cost above the whole budget would wait for ever; the limits exclude it.
    pub(super) fn acquire(&self, cost: u64) -> Permit {
        let mut free = self.free();
        while *free < cost {
            free = self.0.returned.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= cost;
        Permit { budget: self.clone(), cost }
    }

    fn free(&self) -> MutexGuard<'_, u64> {
        self.0.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes taken from a budget, given back on drop.
pub(super) struct Permit {
    budget: Budget,
    cost: u64,
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.budget.free() += self.cost;
        self.budget.0.returned.notify_all();
    }
}

/// What one request takes: from its connection's budget and from the server's.
pub(super) type Charge = [Permit; 2];

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn a_taker_waits_until_enough_is_returned() {
        let budget = Budget::new(10);
        let (first, second) = (budget.acquire(6), budget.acquire(4));
        let (taken, wait) = mpsc::channel();
        let waiter = {
            let budget = budget.clone();
            thread::spawn(move || {
                let permit = budget.acquire(10);
                taken.send(()).unwrap();
                permit
            })
        };
        drop(first);
        assert!(wait.try_recv().is_err(), "only 6 of 10 are free");
        drop(second);
        wait.recv().unwrap();
        drop(waiter.join().unwrap());
        assert_eq!(*budget.free(), 10);
    }
}
