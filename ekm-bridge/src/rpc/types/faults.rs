//! Cluster faults: what is wrong and has not been put right.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::words::words;
use super::{DriveId, FaultId, NodeId, ServiceId, Timestamp};

words! {
    /// How bad it is.
    FaultSeverity {
        /// Something to look at.
        Warning = "warning",
        /// A function is lost.
        Error = "error",
        /// Data or service is at risk.
        Critical = "critical",
        /// Not as recommended.
        BestPractice = "bestPractice",
    }
}

words! {
    /// What it is about.
    FaultType {
        /// A node.
        Node = "node",
        /// A drive.
        Drive = "drive",
        /// The cluster.
        Cluster = "cluster",
        /// A service of a node.
        Service = "service",
        /// A volume.
        Volume = "volume",
    }
}

words! {
    /// Which faults are meant.
    FaultFilter {
        /// Those that are there now.
        Current = "current",
        /// Those that are over.
        Resolved = "resolved",
        /// Both.
        All = "all",
    }
}

/// `ClusterFaultInfo`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterFaultInfo {
    /// The fault.
    #[serde(rename = "clusterFaultID")]
    pub id: FaultId,
    /// What happened, to match on.
    pub code: String,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: FaultType,
    /// How bad it is.
    pub severity: FaultSeverity,
    /// What happened and what to do.
    pub details: String,
    /// When it began.
    pub date: Timestamp,
    /// Whether it is over.
    pub resolved: bool,
    /// When it ended; empty while it has not.
    pub resolved_date: String,
    /// 0 when no node is meant.
    #[serde(rename = "nodeID")]
    pub node: NodeId,
    /// 0 when no service is meant.
    #[serde(rename = "serviceID")]
    pub service: ServiceId,
    /// 0 when no drive is meant.
    #[serde(rename = "driveID")]
    pub drive: DriveId,
    /// 0: there is no hardware to watch.
    #[serde(rename = "nodeHardwareFaultID")]
    pub node_hardware_fault: u64,
    /// All drives that are meant.
    #[serde(rename = "driveIDs")]
    pub drives: Option<Vec<DriveId>>,
    /// The network interface that is meant.
    pub network_interface: Option<String>,
    /// What else a program may want to know.
    pub data: Option<Map<String, Value>>,
    /// Who outside of the cluster reported it.
    pub external_source: Option<String>,
    /// Whether an upgrade has to wait.
    pub blocks_upgrade: bool,
}

/// Parameters of `ListClusterFaults`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListFaults {
    /// Whether faults of severity `bestPractice` are listed; false when not given.
    pub best_practices: Option<bool>,
    /// [`FaultFilter::All`] when not given.
    pub fault_types: Option<FaultFilter>,
}

impl ListFaults {
    /// Whether `fault` is to be listed.
    #[must_use]
    pub fn matches(&self, fault: &ClusterFaultInfo) -> bool {
        let is_shown = fault.severity != FaultSeverity::BestPractice || self.best_practices == Some(true);
        is_shown && self.fault_types.unwrap_or(FaultFilter::All).matches(fault)
    }
}

impl FaultFilter {
    /// Whether `fault` is meant.
    #[must_use]
    pub fn matches(self, fault: &ClusterFaultInfo) -> bool {
        match self {
            Self::Current => !fault.resolved,
            Self::Resolved => fault.resolved,
            Self::All => true,
        }
    }
}

/// Result of `ListClusterFaults`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Faults {
    /// Newest first.
    pub faults: Vec<ClusterFaultInfo>,
}

/// Parameters of `ClearClusterFaults`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClearFaults {
    /// [`FaultFilter::Resolved`] when not given.
    pub fault_types: Option<FaultFilter>,
}
