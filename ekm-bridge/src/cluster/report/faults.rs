//! Cluster faults: recorded, shown, and told to whoever watches.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::id;
use crate::alarm::{Alarm, Severity as AlarmSeverity};
use crate::cluster::control::ClusterControl;
use crate::cluster::errors::of_record;
use crate::records::faults::{Faults as FaultLog, Which};
use crate::records::{Fault, NewFault, Severity};
use crate::rpc::control::{Faults, Outcome};
use crate::rpc::types::faults::{ClusterFaultInfo, FaultFilter, FaultSeverity, FaultType, ListFaults};
use crate::rpc::types::{DriveId, FaultId, NodeId, ServiceId, Timestamp};

/// The codes of faults that are raised here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cluster) enum FaultCode {
    /// A key server, or a provider as a whole, gives no keys.
    KmipServer,
    /// A certificate is about to end, has ended, or does not serve.
    KmipCertificate,
    /// Volumes that should be open are not.
    VolumesOffline,
    /// A rekey ended and left volumes behind. Our name; none is public.
    RekeyIncomplete,
    /// A key manager has ended a master key that is needed. Our name.
    MasterKey,
    /// A master key should have been replaced. Our name.
    RotationOverdue,
    /// A rekey waits for its new key. Our name.
    RekeyWaits,
    /// The time of day leapt ahead. Our name.
    Clock,
}

impl FaultCode {
    pub(in crate::cluster) fn as_str(self) -> &'static str {
        match self {
            Self::KmipServer => "kmipServerFault",
            Self::KmipCertificate => "kmipCertificateFault",
            Self::VolumesOffline => "volumesOffline",
            Self::RekeyIncomplete => "rekeyIncomplete",
            Self::MasterKey => "masterKeyUnusable",
            Self::RotationOverdue => "masterKeyRotationOverdue",
            Self::RekeyWaits => "rekeyWaitsForKey",
            Self::Clock => "clockLeap",
        }
    }
}

/// A fault of the whole cluster about `subject`.
pub(in crate::cluster) fn new_fault(code: FaultCode, subject: &str, severity: Severity, details: String) -> NewFault {
    let (code, subject) = (code.as_str().to_owned(), subject.to_owned());
    NewFault { code, subject, severity, kind: "cluster".into(), details, ids: Map::new() }
}

impl Faults for ClusterControl {
    fn faults(&self, filter: ListFaults) -> Outcome<Vec<ClusterFaultInfo>> {
        let faults = FaultLog::new(&self.records).list(Which::All).map_err(of_record)?;
        let shown = faults.iter().rev().map(show);
        Ok(shown.filter(|fault| filter.matches(fault)).collect())
    }

    fn clear_faults(&self, which: FaultFilter) -> Outcome<()> {
        let which = match which {
            FaultFilter::Current => Which::Current,
            FaultFilter::Resolved => Which::Resolved,
            FaultFilter::All => Which::All,
        };
        FaultLog::new(&self.records).clear(which).map_err(of_record)
    }
}

impl ClusterControl {
    /// Records a fault and tells the log of a new one.
    pub(in crate::cluster) fn raise(&self, what: &NewFault) -> Outcome<()> {
        let log = FaultLog::new(&self.records);
        let known = log.current(&what.code, &what.subject).map_err(of_record)?;
        log.raise(what, self.now()).map_err(of_record)?;
        if known.is_none_or(|known| known.what != *what) {
            tracing::warn!(code = what.code, subject = what.subject, severity = ?what.severity, "{}", what.details);
        }
        Ok(())
    }

    /// Records that a fault is over, if there was one.
    pub(in crate::cluster) fn resolve(&self, code: FaultCode, subject: &str) -> Outcome<()> {
        let resolved = FaultLog::new(&self.records).resolve(code.as_str(), subject, self.now()).map_err(of_record)?;
        if let Some(fault) = resolved {
            tracing::info!(code = fault.what.code, subject, "the fault is over");
        }
        Ok(())
    }

    /// Makes the current faults of `code` whose subject begins with `prefix` exactly these.
    pub(in crate::cluster) fn make_faults(&self, code: FaultCode, prefix: &str, now: &[NewFault]) -> Outcome<()> {
        now.iter().try_for_each(|fault| self.raise(fault))?;
        let current = FaultLog::new(&self.records).list(Which::Current).map_err(of_record)?;
        let is_over = |fault: &&Fault| {
            let is_ours = fault.what.code == code.as_str() && fault.what.subject.starts_with(prefix);
            is_ours && !now.iter().any(|new| new.subject == fault.what.subject)
        };
        current.iter().filter(is_over).try_for_each(|fault| self.resolve(code, &fault.what.subject))
    }

    /// Sets the gauges of faults.
    pub(in crate::cluster) fn count_faults(&self) -> Outcome<()> {
        let Some(metrics) = &self.metrics else { return Ok(()) };
        let mut counts: BTreeMap<(String, &str), f64> = BTreeMap::new();
        for fault in FaultLog::new(&self.records).list(Which::Current).map_err(of_record)? {
            *counts.entry((fault.what.code, severity(fault.what.severity).as_str())).or_default() += 1.0;
        }
        metrics.faults.clear();
        for ((code, severity), count) in counts {
            metrics.faults.with(&[&code, severity]).set(count);
        }
        Ok(())
    }
}

/// A watcher's alarm as a fault. Spaces do not fit into a subject.
pub(in crate::cluster) fn of_alarm(code: FaultCode, alarm: &Alarm) -> NewFault {
    let severity = match alarm.severity {
        AlarmSeverity::Warning => Severity::Warning,
        AlarmSeverity::Error => Severity::Error,
        AlarmSeverity::Critical => Severity::Critical,
    };
    new_fault(code, &alarm.about.replace(' ', "-"), severity, alarm.details.clone())
}

fn severity(severity: Severity) -> FaultSeverity {
    match severity {
        Severity::BestPractice => FaultSeverity::BestPractice,
        Severity::Warning => FaultSeverity::Warning,
        Severity::Error => FaultSeverity::Error,
        Severity::Critical => FaultSeverity::Critical,
    }
}

fn show(fault: &Fault) -> ClusterFaultInfo {
    let what = &fault.what;
    let drive = DriveId(id(&what.ids, "driveID"));
    let kind = FaultType::ALL.iter().copied().find(|kind| kind.as_str() == what.kind);
    ClusterFaultInfo {
        id: FaultId(fault.id.0),
        code: what.code.clone(),
        kind: kind.unwrap_or(FaultType::Cluster),
        severity: severity(what.severity),
        details: what.details.clone(),
        date: Timestamp(fault.date),
        resolved: fault.resolved.is_some(),
        resolved_date: fault.resolved.map_or_else(String::new, |at| Timestamp(at).to_string()),
        node: NodeId(id(&what.ids, "nodeID")),
        service: ServiceId(id(&what.ids, "serviceID")),
        drive,
        node_hardware_fault: 0,
        drives: (drive != DriveId(0)).then(|| vec![drive]),
        network_interface: None,
        data: Some(Map::from_iter([("subject".to_owned(), Value::from(what.subject.clone()))])),
        external_source: None,
        blocks_upgrade: false,
    }
}
