//! Every call is written to the audit log and counted.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ekm_bridge::UnixSeconds;
use ekm_bridge::audit::{AuditEvent, AuditLog, Outcome};
use ekm_bridge::metrics::Sear;
use ekm_bridge::rpc::methods::Method;
use ekm_bridge::rpc::observer::{CallRecord, RefusalRecord};
use ekm_bridge::rpc::{ApiError, ErrorName, Observer};
use serde_json::{Value, json};

/// Where the log is in a state directory.
pub(crate) fn log_path(state: &Path) -> PathBuf {
    state.join("audit.log")
}

/// What must still fit before a call is carried out that has to be recorded: the longest entries of as many calls as run
/// at a time, refused log-ins beside them.
const ROOM: u64 = 32 * 16_469;

/// Told of every call.
pub(super) struct Auditor {
    log: Mutex<AuditLog>,
    metrics: Arc<Sear>,
    /// What cannot be recorded is not done.
    is_required: bool,
}

impl Auditor {
    pub(super) fn new(log: AuditLog, metrics: Arc<Sear>, is_required: bool) -> Self {
        metrics.audit_room.with(&[]).set(lossy(log.room()));
        Self { log: Mutex::new(log), metrics, is_required }
    }

    fn log(&self) -> MutexGuard<'_, AuditLog> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call has happened already, so a log that fails cannot undo it; it is told as loudly as there is means to.
    fn write(&self, event: &AuditEvent) {
        let mut log = self.log();
        match log.append(event) {
            Ok(_) => self.metrics.audit_entries.with(&[]).add(1),
            Err(error) => tracing::error!(%error, method = %event.method, "a call is missing in the audit log"),
        }
        self.metrics.audit_room.with(&[]).set(lossy(log.room()));
    }
}

impl Observer for Auditor {
    fn admits(&self, method: &Method) -> Result<(), ApiError> {
        if !self.is_required {
            return Ok(());
        }
        self.log().check(ROOM).map_err(|error| {
            let message = format!("{} was not carried out, because it could not be recorded: {error}", method.name);
            ApiError::new(ErrorName::AuditLogUnavailable, message)
        })
    }

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

#[cfg(test)]
mod tests {
    use ekm_bridge::metrics::Registry;
    use ekm_bridge::rpc::methods;

    use super::*;

    fn auditor(limit: u64, is_required: bool) -> (tempfile::TempDir, Auditor) {
        let dir = tempfile::tempdir().unwrap();
        let log = AuditLog::open(&log_path(dir.path()), limit, UnixSeconds::now()).unwrap();
        let metrics = Arc::new(Sear::register(&Registry::new()).unwrap());
        (dir, Auditor::new(log, metrics, is_required))
    }

    #[test]
    fn what_might_not_be_recorded_is_admitted_only_where_the_log_is_not_required() {
        let method = methods::all().find(|method| method.name == "CreateVolume").unwrap();
        for (limit, is_required, is_admitted) in
            [(ROOM, true, true), (ROOM - 1, true, false), (0, true, false), (0, false, true)]
        {
            let (_dir, auditor) = auditor(limit, is_required);
            let outcome = auditor.admits(method);
            assert_eq!(outcome.is_ok(), is_admitted, "{limit} {is_required}");
            if let Err(error) = outcome {
                assert_eq!(error.name, ErrorName::AuditLogUnavailable);
                assert!(error.message.contains("CreateVolume was not carried out"), "{error}");
            }
        }
    }
}
