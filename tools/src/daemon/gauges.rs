//! Numbers that are read when a monitoring system asks for them.

use std::sync::{Arc, Mutex, PoisonError};

use datapath::volume::Operation;
use ekm_bridge::metrics::{Registry, Sear};

use super::host::{Counts, FileHost};

/// What writes the text of `GET /metrics`.
pub(super) struct Gauges {
    pub(super) registry: Arc<Registry>,
    pub(super) metrics: Arc<Sear>,
    pub(super) host: Arc<FileHost>,
    /// Two who ask at the same time would count everything twice.
    pub(super) one_at_a_time: Mutex<()>,
}

impl Gauges {
    /// The text. What volumes did is counted by the volumes; of those that are gone nothing is told any more.
    pub(super) fn expose(&self) -> String {
        let _one_at_a_time = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let Sear { io_operations, io_bytes, io_errors, io_latency, .. } = self.metrics.as_ref();
        io_operations.clear();
        io_bytes.clear();
        io_errors.clear();
        io_latency.clear();
        for (name, counts) in self.host.all_counts() {
            self.fill(&name, &counts);
        }
        self.registry.expose()
    }

    fn fill(&self, volume: &str, counts: &Counts) {
        let metrics = &self.metrics;
        for (operation, latency) in Operation::ALL.into_iter().zip(&counts.latencies) {
            let labels = [volume, operation.name()];
            // Each costs a monitoring system memory.
            let is_rare = !matches!(operation, Operation::Read | Operation::Write);
            if is_rare && latency.count() == 0 && latency.errors == 0 {
                continue;
            }
            metrics.io_operations.with(&labels).add(latency.count());
            metrics.io_errors.with(&labels).add(latency.errors);
            metrics.io_latency.with(&labels).take_in(&latency.buckets, latency.nanos);
        }
        metrics.io_bytes.with(&[volume, "read"]).add(counts.stats.read_bytes);
        metrics.io_bytes.with(&[volume, "write"]).add(counts.stats.write_bytes);
    }
}

#[cfg(test)]
mod tests {
    use datapath::volume::LATENCY_BOUNDS;
    use ekm_bridge::metrics::LATENCY_BUCKETS;

    #[test]
    fn the_volumes_count_in_the_buckets_that_are_told() {
        let seconds = LATENCY_BOUNDS.map(|nanos| std::time::Duration::from_nanos(nanos).as_secs_f64());
        assert_eq!(seconds, LATENCY_BUCKETS);
    }
}
