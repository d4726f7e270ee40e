//! What volumes did.

use serde::{Deserialize, Serialize};

use super::{AccountId, NodeId, Timestamp, VolumeAccessGroupId, VolumeId};

/// Nodes that hold a volume's metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetadataHosts {
    /// The one in charge.
    pub primary: NodeId,
    /// Others that are up to date.
    pub live_secondaries: Vec<NodeId>,
    /// Others that are not.
    pub dead_secondaries: Vec<NodeId>,
}

/// `VolumeStats`. Counters begin when the volume was made; `None` is what is not measured here.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeStats {
    /// The owner.
    #[serde(rename = "accountID")]
    pub account: AccountId,
    /// The volume.
    #[serde(rename = "volumeID")]
    pub volume: VolumeId,
    /// Bytes.
    pub volume_size: u64,
    /// When this was read.
    pub timestamp: Option<Timestamp>,
    /// Reads.
    pub read_ops: u64,
    /// Writes.
    pub write_ops: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Reads that are not whole 4 KiB blocks.
    pub unaligned_reads: u64,
    /// Writes that are not whole 4 KiB blocks.
    pub unaligned_writes: u64,
    /// 4 KiB blocks with data.
    pub non_zero_blocks: u64,
    /// 4 KiB blocks without.
    pub zero_blocks: u64,
    /// Access groups.
    pub volume_access_groups: Vec<VolumeAccessGroupId>,
    /// Operations per second over the last half second.
    #[serde(rename = "actualIOPS")]
    pub actual_iops: Option<u64>,
    /// Bytes of an average operation.
    #[serde(rename = "averageIOPSize")]
    pub average_iop_size: Option<u64>,
    /// Credit for bursts.
    #[serde(rename = "burstIOPSCredit")]
    pub burst_iops_credit: Option<u64>,
    /// Requests that wait.
    pub client_queue_depth: Option<u64>,
    /// Microseconds of an average operation.
    #[serde(rename = "latencyUSec")]
    pub latency: Option<u64>,
    /// Microseconds of an average read.
    #[serde(rename = "readLatencyUSec")]
    pub read_latency: Option<u64>,
    /// Microseconds of an average write.
    #[serde(rename = "writeLatencyUSec")]
    pub write_latency: Option<u64>,
    /// Microseconds of all operations.
    #[serde(rename = "totalLatencyUSec")]
    pub total_latency: Option<u64>,
    /// How far a replica is behind.
    pub async_delay: Option<String>,
    /// Where the metadata is.
    pub metadata_hosts: Option<MetadataHosts>,
    /// Where it is moving to.
    pub desired_metadata_hosts: Option<MetadataHosts>,
    /// How much the volume is slowed down, 0 to 1.
    pub throttle: Option<f64>,
    /// Share of its operations that a volume uses, 0 to 1 and more.
    pub volume_utilization: Option<f64>,
    /// Milliseconds of the last sample.
    #[serde(rename = "samplePeriodMSec")]
    pub sample_period: Option<u64>,
    /// Bytes read in it.
    pub read_bytes_last_sample: Option<u64>,
    /// Bytes written in it.
    pub write_bytes_last_sample: Option<u64>,
    /// Reads in it.
    pub read_ops_last_sample: Option<u64>,
    /// Writes in it.
    pub write_ops_last_sample: Option<u64>,
}

/// Parameters of `ListVolumeStats`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ListVolumeStats {
    /// All when not given.
    #[serde(rename = "volumeIDs")]
    pub volumes: Option<Vec<VolumeId>>,
}

/// Result of `GetVolumeStats`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OneVolumeStats {
    /// The volume's.
    pub volume_stats: VolumeStats,
}

/// Result of `ListVolumeStats`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ManyVolumeStats {
    /// In the order of the volumes' ids.
    pub volume_stats: Vec<VolumeStats>,
}
