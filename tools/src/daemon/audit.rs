//! Every call is written to the audit log and counted.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ekm_bridge::UnixSeconds;
use ekm_bridge::audit::{AuditEvent, AuditLog, Head, Outcome};
use ekm_bridge::cluster::Journal;
use ekm_bridge::metrics::Sear;
use ekm_bridge::rpc::Observer;
use ekm_bridge::rpc::error::ErrorName;
use ekm_bridge::rpc::observer::{CallRecord, RefusalRecord};
use serde_json::{Value, json};

/// Where the log is in a state directory.
pub(crate) fn log_path(state: &Path) -> PathBuf {
    state.join("audit.log")
}

/// Told of every call.
pub(super) struct Auditor {
    log: Mutex<AuditLog>,
    metrics: Arc<Sear>,
}

impl Auditor {
    pub(super) fn new(log: AuditLog, metrics: Arc<Sear>) -> Self {
        metrics.audit_room.with(&[]).set(lossy(log.room()));
        Self { log: Mutex::new(log), metrics }
    }

    /// The call has happened already, so a log that fails cannot undo it; it is told as loudly as there is means to.
    fn write(&self, event: &AuditEvent) -> Option<Head> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let head = match log.append(event) {
            Ok(head) => {
                self.metrics.audit_entries.with(&[]).add(1);
                Some(head)
            }
            Err(error) => {
                tracing::error!(%error, method = %event.method, "a call is missing in the audit log");
                None
            }
        };
        self.metrics.audit_room.with(&[]).set(lossy(log.room()));
        head
    }
}

/// What the control plane does of its own accord, as user `-` of role `system`.
impl Journal for Auditor {
    fn note(&self, at: UnixSeconds, what: &str, details: &Value) -> Option<String> {
        let head = self.write(&AuditEvent {
            time: at,
            user: "-".to_owned(),
            role: "system".to_owned(),
            source: "local".to_owned(),
            method: what.to_owned(),
            parameters: details.clone(),
            outcome: Outcome::Success,
        });
        head.map(|head| head.to_string())
    }
}

impl Observer for Auditor {
    fn called(&self, record: &CallRecord<'_>) {
        let outcome = match record.outcome {
            Ok(()) => Outcome::Success,
            Err(ErrorName::PermissionDenied) => Outcome::Denied,
            Err(name) => Outcome::Failed(name.as_str().to_owned()),
        };
        let word = if record.outcome.is_ok() { "success" } else { "failed" };
        self.metrics.api_calls.with(&[record.method, word]).add(1);
        self.metrics.api_latency.with(&[record.method]).observe(record.duration);
        self.write(&AuditEvent {
            time: UnixSeconds::now(),
            user: record.user.unwrap_or("-").to_owned(),
            role: record.role.map_or("-", |role| role.as_str()).to_owned(),
            source: record.source.to_string(),
            method: record.method.to_owned(),
            parameters: Value::Object(record.params.clone()),
            outcome,
        });
    }

    fn refused(&self, record: &RefusalRecord<'_>) {
        self.write(&AuditEvent {
            time: UnixSeconds::now(),
            user: record.user.unwrap_or("-").to_owned(),
            role: "-".to_owned(),
            source: record.source.to_string(),
            method: "login".to_owned(),
            parameters: json!({}),
            outcome: Outcome::Denied,
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a floating-point number")]
fn lossy(bytes: u64) -> f64 {
    bytes as f64
}
