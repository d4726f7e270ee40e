//! One processor for two.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Keeps this thread, and what it starts, on one processor until it is dropped. Tracer and tracee never run at the same
/// time; on two processors each step would wake the other one, which takes far longer than the step.
pub(super) struct OneCpu {
    before: Option<CpuSet>,
}

impl OneCpu {
    /// On the next of the processors that this thread may use, so that several tracers share them out.
    pub(super) fn next() -> Self {
        static TURN: AtomicUsize = AtomicUsize::new(0);
        let before = sched_getaffinity(None).ok();
        if let Some(before) = &before {
            let usable: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|cpu| before.is_set(*cpu)).collect();
            let mut one = CpuSet::new();
            one.set(usable[TURN.fetch_add(1, Ordering::Relaxed) % usable.len()]);
            // Without it, steps are only slower.
            let _ = sched_setaffinity(None, &one);
        }
        Self { before }
    }
}

impl Drop for OneCpu {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = sched_setaffinity(None, before);
        }
    }
}
