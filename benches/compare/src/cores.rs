//! The cores that a run may use, and threads that stay on theirs.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The processors that this process may run on.
pub(crate) struct Cores(Vec<usize>);

impl Cores {
    /// Asked once, before any thread is pinned.
    #[must_use]
    pub(crate) fn of_this_process() -> Self {
        let allowed = sched_getaffinity(None).unwrap_or_default();
        Self((0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect())
    }

    /// How many there are.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Keeps the calling thread on the core with this number. Where the system refuses, the thread moves as it likes and
    /// the numbers spread more.
    pub(crate) fn pin(&self, core: usize) {
        let Some(cpu) = self.0.get(core) else { return };
        let mut only = CpuSet::new();
        only.set(*cpu);
        if let Err(error) = sched_setaffinity(None, &only) {
            eprintln!("a thread cannot be kept on processor {cpu}: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_thread_may_run_on_one_processor_only() {
        std::thread::spawn(|| {
            Cores::of_this_process().pin(0);
            assert_eq!(Cores::of_this_process().count(), 1);
        })
        .join()
        .unwrap();
    }
}
