//! What a volume does, counted: for `sear top` and for whoever collects metrics.
//!
//! Each queue counts for itself, on cache lines of its own, so counting costs no core another's attention; a snapshot
//! adds them up. How long operations took is in [`latency`](super::latency).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::latency::{Histogram, Latency, OPERATIONS, Operation};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Reads that ended well.
    Reads,
    /// Bytes that they read.
    ReadBytes,
    /// Writes that ended well.
    Writes,
    /// Bytes that they wrote.
    WrittenBytes,
    /// Flushes that ended well.
    Flushes,
    /// Trims and write-zeroes that ended well.
    Zeroes,
    /// Operations of any kind that failed.
    Errors,
    /// Operations that had to wait for another one on the same sectors.
    Conflicts,
    /// Operations that have started; those in flight are these without the ended ones.
    Started,
    /// Operations that have ended, well or not.
    Ended,
    /// Requests for a read that were not whole sectors.
    UnalignedReads,
    /// The same of writes.
    UnalignedWrites,
}

/// How many there are.
const COUNTERS: usize = 12;

impl Counter {
    /// All of them, in order.
    pub const ALL: [Self; COUNTERS] = [
        Self::Reads,
        Self::ReadBytes,
        Self::Writes,
        Self::WrittenBytes,
        Self::Flushes,
        Self::Zeroes,
        Self::Errors,
        Self::Conflicts,
        Self::Started,
        Self::Ended,
        Self::UnalignedReads,
        Self::UnalignedWrites,
    ];

    /// Its name in snake case, as a metric is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::ReadBytes => "read_bytes",
            Self::Writes => "writes",
            Self::WrittenBytes => "written_bytes",
            Self::Flushes => "flushes",
            Self::Zeroes => "zeroes",
            Self::Errors => "errors",
            Self::Conflicts => "conflicts",
            Self::Started => "started",
            Self::Ended => "ended",
            Self::UnalignedReads => "unaligned_reads",
            Self::UnalignedWrites => "unaligned_writes",
        }
    }
}

/// The counters of one queue.
#[repr(align(128))]
#[derive(Default)]
pub(crate) struct QueueStats([AtomicU64; COUNTERS], [Histogram; OPERATIONS]);

impl QueueStats {
    /// Adds to a counter, from any thread.
    pub(crate) fn add(&self, counter: Counter, count: u64) {
        self.0[counter as usize].fetch_add(count, Ordering::Relaxed);
    }

    /// An operation took so long, and ended well or not.
    pub(crate) fn took(&self, operation: Operation, time: Duration, is_well: bool) {
        self.1[operation as usize].add(time, is_well);
    }

    fn snapshot(&self) -> Snapshot {
        let counters = std::array::from_fn(|at| self.0[at].load(Ordering::Relaxed));
        Snapshot { counters, latencies: std::array::from_fn(|at| self.1[at].snapshot()) }
    }
}

/// The values of all counters at about one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    counters: [u64; COUNTERS],
    latencies: [Latency; OPERATIONS],
}

impl Snapshot {
    /// A counter's value.
    #[must_use]
    pub const fn get(&self, counter: Counter) -> u64 {
        self.counters[counter as usize]
    }

    /// How long operations of this kind took.
    #[must_use]
    pub const fn latency(&self, operation: Operation) -> &Latency {
        &self.latencies[operation as usize]
    }

    /// The values with names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Counter::ALL.into_iter().map(|counter| (counter.name(), self.get(counter)))
    }
}

/// A volume's counters, queue by queue.
#[derive(Default)]
pub(crate) struct Stats(Mutex<Vec<Arc<QueueStats>>>);

impl Stats {
    /// Counters for one more queue.
    pub(crate) fn queue(&self) -> Arc<QueueStats> {
        let queue = Arc::<QueueStats>::default();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&queue));
        queue
    }

    /// The values of each queue.
    pub(crate) fn snapshots(&self) -> Vec<Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|queue| queue.snapshot()).collect()
    }
}
