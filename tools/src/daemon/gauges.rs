//! Numbers that are read when a monitoring system asks for them.

use std::sync::Arc;

use ekm_bridge::cluster::HostStats;
use ekm_bridge::metrics::{Registry, Sear};

use super::host::FileHost;

/// The text of `GET /metrics`.
pub(super) fn expose(registry: &Registry, metrics: &Sear, host: &Arc<FileHost>) -> String {
    for (name, stats) in host.all_stats() {
        fill(metrics, &name, &stats);
    }
    registry.expose()
}

fn fill(metrics: &Sear, volume: &str, stats: &HostStats) {
    let HostStats { read_ops, read_bytes, write_ops, write_bytes, .. } = *stats;
    for (operation, ops, bytes) in [("read", read_ops, read_bytes), ("write", write_ops, write_bytes)] {
        // A volume counts from its last opening; what was counted before stays.
        metrics.io_operations.with(&[volume, operation]).raise_to(ops);
        metrics.io_bytes.with(&[volume, operation]).raise_to(bytes);
    }
}
