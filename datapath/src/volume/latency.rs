//! How long operations take: for each kind a histogram of those that ended well, and a count of the others.
//!
//! It costs an operation two relaxed additions to memory that its queue's thread has for itself. The clock is looked at twice
//! in a turn of the thread, however many operations begin and end in it: at the first beginning and at the end, when the
//! answers go out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A read; a long one is several, one for each piece.
    Read,
    /// The same of writes.
    Write,
    /// A flush.
    Flush,
    /// A trim or write-zeroes.
    Zero,
}

/// How many kinds there are.
pub(crate) const OPERATIONS: usize = 4;

impl Operation {
    /// All of them, in order.
    pub const ALL: [Self; OPERATIONS] = [Self::Read, Self::Write, Self::Flush, Self::Zero];

    /// Its name, as a metric's label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Flush => "flush",
            Self::Zero => "zero",
        }
    }
}

/// Upper bounds of the histograms' buckets, in nanoseconds; one more bucket is above them all.
pub const LATENCY_BOUNDS: [u64; BOUNDS] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    1_000_000_000,
    5_000_000_000,
    30_000_000_000,
];

const BOUNDS: usize = 14;

/// The operations of one kind at about one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// How many ended well within each bound and not within the one before; the last is above all bounds.
    pub buckets: [u64; BOUNDS + 1],
    /// The time that these took in all, in nanoseconds.
    pub nanos: u64,
    /// How many failed.
    pub errors: u64,
}

impl Latency {
    /// How many ended well.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// These and others.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            buckets: std::array::from_fn(|at| self.buckets[at].saturating_add(other.buckets[at])),
            nanos: self.nanos.saturating_add(other.nanos),
            errors: self.errors.saturating_add(other.errors),
        }
    }
}

/// The operations of one kind of one queue.
#[derive(Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BOUNDS + 1],
    nanos: AtomicU64,
    errors: AtomicU64,
}

impl Histogram {
    pub(crate) fn add(&self, time: Duration, is_well: bool) {
        if !is_well {
            self.errors.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        // Most are in the first.
        let bucket = LATENCY_BOUNDS.iter().position(|bound| nanos <= *bound).unwrap_or(BOUNDS);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Latency {
        Latency {
            buckets: std::array::from_fn(|at| self.buckets[at].load(Ordering::Relaxed)),
            nanos: self.nanos.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_on_a_bound_is_within_it_and_failures_are_no_times() {
        let histogram = Histogram::default();
        for nanos in [0, 100_000, 100_001, 30_000_000_000, 30_000_000_001] {
            histogram.add(Duration::from_nanos(nanos), true);
        }
        histogram.add(Duration::from_secs(1), false);
        let latency = histogram.snapshot();
        let filled = latency.buckets.iter().enumerate().filter(|(_, count)| **count > 0);
        assert_eq!(filled.collect::<Vec<_>>(), [(0, &2), (1, &1), (13, &1), (14, &1)]);
        assert_eq!((latency.count(), latency.errors, latency.nanos), (5, 1, 60_000_200_002));
        let both = latency.plus(&latency);
        assert_eq!((both.count(), both.errors, both.nanos), (10, 2, 120_000_400_004));
        assert!(LATENCY_BOUNDS.is_sorted_by(|a, b| a < b));
    }
}
