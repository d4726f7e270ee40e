//! What a volume did, added up over its queues and over the times that it was opened.

use datapath::volume::{Counter, Latency, Operation, Snapshot};
use ekm_bridge::cluster::HostStats;

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::daemon) struct Counts {
    /// Whole operations and bytes.
    pub(in crate::daemon) stats: HostStats,
    /// How long they took, in the order of [`Operation::ALL`].
    pub(in crate::daemon) latencies: [Latency; Operation::ALL.len()],
}

impl Counts {
    /// What every queue of a volume has counted.
    pub(super) fn of(queues: &[Snapshot]) -> Self {
        let sum = |counter| queues.iter().map(|queue| queue.get(counter)).sum::<u64>();
        let stats = HostStats {
            read_ops: sum(Counter::Reads),
            read_bytes: sum(Counter::ReadBytes),
            write_ops: sum(Counter::Writes),
            write_bytes: sum(Counter::WrittenBytes),
            unaligned_reads: sum(Counter::UnalignedReads),
            unaligned_writes: sum(Counter::UnalignedWrites),
            // The two are read at different moments.
            in_flight: sum(Counter::Started).saturating_sub(sum(Counter::Ended)),
        };
        let latency =
            |operation| queues.iter().fold(Latency::default(), |sum, queue| sum.plus(queue.latency(operation)));
        Self { stats, latencies: Operation::ALL.map(latency) }
    }

    /// These, and what was counted before; in flight is only what is now.
    pub(super) fn after(&self, before: &Self) -> Self {
        let (now, then) = (&self.stats, &before.stats);
        let stats = HostStats {
            read_ops: now.read_ops + then.read_ops,
            read_bytes: now.read_bytes + then.read_bytes,
            write_ops: now.write_ops + then.write_ops,
            write_bytes: now.write_bytes + then.write_bytes,
            unaligned_reads: now.unaligned_reads + then.unaligned_reads,
            unaligned_writes: now.unaligned_writes + then.unaligned_writes,
            in_flight: now.in_flight,
        };
        let latencies = std::array::from_fn(|at| self.latencies[at].plus(&before.latencies[at]));
        Self { stats, latencies }
    }
}
