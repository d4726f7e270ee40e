//! The metrics of a Sear daemon. `docs/metrics.md` lists them for people.

use std::sync::Arc;

use super::registry::{BadName, Family, Registry};
use super::value::{Counter, Gauge, Histogram};

/// Every family that the daemon fills.
pub struct Sear {
    /// `sear_io_operations_total{volume,operation}`: requests completed.
    pub io_operations: Arc<Family<Counter>>,
    /// `sear_io_bytes_total{volume,operation}`: bytes read or written by them.
    pub io_bytes: Arc<Family<Counter>>,
    /// `sear_io_errors_total{volume,operation}`: requests that failed.
    pub io_errors: Arc<Family<Counter>>,
    /// `sear_io_latency_seconds{volume,operation}`: from request to reply.
    pub io_latency: Arc<Family<Histogram>>,
    /// `sear_volumes{state}`: volumes by state.
    pub volumes: Arc<Family<Gauge>>,
    /// `sear_api_calls_total{method,outcome}`: calls of the API.
    pub api_calls: Arc<Family<Counter>>,
    /// `sear_api_latency_seconds{method}`: from call to answer.
    pub api_latency: Arc<Family<Histogram>>,
    /// `sear_key_server_requests_total{server,outcome}`: requests to key servers.
    pub key_server_requests: Arc<Family<Counter>>,
    /// `sear_key_server_latency_seconds{server}`: how long they took.
    pub key_server_latency: Arc<Family<Histogram>>,
    /// `sear_key_server_up{server}`: 1 when the last request succeeded.
    pub key_server_up: Arc<Family<Gauge>>,
    /// `sear_master_key_created_timestamp_seconds{key,provider}`: when the key in use was made.
    pub master_key_created: Arc<Family<Gauge>>,
    /// `sear_keys_to_decommission{}`: old keys that something still depends on.
    pub keys_to_decommission: Arc<Family<Gauge>>,
    /// `sear_certificate_not_after_timestamp_seconds{server,role,subject}`: when the certificate ends.
    pub certificate_not_after: Arc<Family<Gauge>>,
    /// `sear_faults{code,severity}`: unresolved faults.
    pub faults: Arc<Family<Gauge>>,
    /// `sear_audit_entries_total{}`: entries of the audit log.
    pub audit_entries: Arc<Family<Counter>>,
    /// `sear_audit_room_bytes{}`: how much the audit log still takes.
    pub audit_room: Arc<Family<Gauge>>,
}

impl Sear {
    /// Registers all of them.
    ///
    /// # Errors
    /// When the registry has one of the names already.
    pub fn register(registry: &Registry) -> Result<Self, BadName> {
        let io = ["volume", "operation"];
        Ok(Self {
            io_operations: registry.counters("sear_io_operations_total", "Requests completed.", &io)?,
            io_bytes: registry.counters("sear_io_bytes_total", "Bytes read or written by requests.", &io)?,
            io_errors: registry.counters("sear_io_errors_total", "Requests that failed.", &io)?,
            io_latency: registry.latencies("sear_io_latency_seconds", "Time from request to reply.", &io)?,
            volumes: registry.gauges("sear_volumes", "Volumes by state.", &["state"])?,
            api_calls: registry.counters("sear_api_calls_total", "Calls of the API.", &["method", "outcome"])?,
            api_latency: registry.latencies("sear_api_latency_seconds", "Time from call to answer.", &["method"])?,
            key_server_requests: registry.counters(
                "sear_key_server_requests_total",
                "Requests to key servers.",
                &["server", "outcome"],
            )?,
            key_server_latency: registry.latencies(
                "sear_key_server_latency_seconds",
                "Time from request to answer of a key server.",
                &["server"],
            )?,
            key_server_up: registry.gauges("sear_key_server_up", "Whether the last request succeeded.", &["server"])?,
            master_key_created: registry.gauges(
                "sear_master_key_created_timestamp_seconds",
                "When the master key in use was made.",
                &["key", "provider"],
            )?,
            keys_to_decommission: registry.gauges(
                "sear_keys_to_decommission",
                "Old master keys that something still depends on.",
                &[],
            )?,
            certificate_not_after: registry.gauges(
                "sear_certificate_not_after_timestamp_seconds",
                "When a certificate ends.",
                &["server", "role", "subject"],
            )?,
            faults: registry.gauges("sear_faults", "Unresolved faults.", &["code", "severity"])?,
            audit_entries: registry.counters("sear_audit_entries_total", "Entries of the audit log.", &[])?,
            audit_room: registry.gauges("sear_audit_room_bytes", "Bytes that the audit log still takes.", &[])?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_registers_once() {
        let registry = Registry::new();
        let sear = Sear::register(&registry).unwrap();
        sear.faults.with(&["kmipServerFault", "critical"]).set(1.0);
        assert!(registry.expose().contains("sear_faults{code=\"kmipServerFault\",severity=\"critical\"} 1\n"));
        assert!(matches!(Sear::register(&registry), Err(BadName::Taken(_))));
    }
}
