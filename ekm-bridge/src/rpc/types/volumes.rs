//! Volumes. That they are encrypted is a property of the cluster: no member here says it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::words::words;
use super::{AccountId, QosPolicyId, Timestamp, VolumeAccessGroupId, VolumeId};

words! {
    /// How data is spread over nodes.
    ProtectionScheme {
        /// One copy; the only one here.
        SingleHelix = "singleHelix",
        /// Two copies.
        DoubleHelix = "doubleHelix",
        /// Three copies.
        TripleHelix = "tripleHelix",
    }
}

words! {
    /// What clients may do with a volume.
    VolumeAccess {
        /// Nothing.
        Locked = "locked",
        /// Read.
        ReadOnly = "readOnly",
        /// Read and write.
        ReadWrite = "readWrite",
        /// Only the source of its replication may write.
        ReplicationTarget = "replicationTarget",
        /// Only SnapMirror may write.
        SnapMirrorTarget = "snapMirrorTarget",
    }
}

words! {
    /// Where a volume is in its life.
    VolumeStatus {
        /// It is being made.
        Creating = "creating",
        /// A snapshot is being taken.
        Snapshotting = "snapshotting",
        /// It serves.
        Active = "active",
        /// It waits to be purged and can still be restored.
        Deleted = "deleted",
    }
}

/// Quality of service: operations per second. Nothing here enforces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeQos {
    /// Kept for the volume.
    #[serde(rename = "minIOPS")]
    pub min_iops: u64,
    /// Allowed to it for long.
    #[serde(rename = "maxIOPS")]
    pub max_iops: u64,
    /// Allowed to it for a short time.
    #[serde(rename = "burstIOPS")]
    pub burst_iops: u64,
    /// Seconds of that time.
    pub burst_time: u64,
    /// Cost of an operation by its size in bytes.
    pub curve: BTreeMap<String, u64>,
}

/// Quality of service to set: what is not given stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetQos {
    /// Kept for the volume.
    #[serde(rename = "minIOPS")]
    pub min_iops: Option<u64>,
    /// Allowed to it for long.
    #[serde(rename = "maxIOPS")]
    pub max_iops: Option<u64>,
    /// Allowed to it for a short time.
    #[serde(rename = "burstIOPS")]
    pub burst_iops: Option<u64>,
    /// Seconds of that time.
    pub burst_time: Option<u64>,
}

/// `Volume`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// The volume.
    #[serde(rename = "volumeID")]
    pub id: VolumeId,
    /// A label; several volumes may have the same.
    pub name: String,
    /// The owner.
    #[serde(rename = "accountID")]
    pub account: AccountId,
    /// When it was made.
    pub create_time: Timestamp,
    /// Volumes with the same are snapshotted together.
    #[serde(rename = "volumeConsistencyGroupUUID")]
    pub consistency_group: Uuid,
    /// The UUID in its LUKS2 header.
    #[serde(rename = "volumeUUID")]
    pub uuid: Uuid,
    /// Always false.
    pub enable_snap_mirror_replication: bool,
    /// Where it is in its life.
    pub status: VolumeStatus,
    /// What clients may do.
    pub access: VolumeAccess,
    /// Whether it shows sectors of 512 bytes.
    pub enable512e: bool,
    /// Its iSCSI name; null, it is not served by iSCSI.
    pub iqn: Option<String>,
    /// Its name as a SCSI device.
    #[serde(rename = "scsiEUIDeviceID")]
    pub scsi_eui: String,
    /// Its other name as a SCSI device.
    #[serde(rename = "scsiNAADeviceID")]
    pub scsi_naa: String,
    /// Quality of service.
    pub qos: VolumeQos,
    /// The policy it comes from.
    #[serde(rename = "qosPolicyID")]
    pub qos_policy: Option<QosPolicyId>,
    /// Access groups.
    pub volume_access_groups: Vec<VolumeAccessGroupId>,
    /// Replication; always empty.
    pub volume_pairs: Vec<Value>,
    /// When it was deleted.
    pub delete_time: Option<Timestamp>,
    /// When it will be purged.
    pub purge_time: Option<Timestamp>,
    /// When it was last read or written, opened or closed.
    pub last_access_time: Option<Timestamp>,
    /// When it was last read or written.
    #[serde(rename = "lastAccessTimeIO")]
    pub last_access_time_io: Option<Timestamp>,
    /// Always 1.
    pub slice_count: u64,
    /// Bytes.
    pub total_size: u64,
    /// Bytes of a block.
    pub block_size: u64,
    /// Always null.
    #[serde(rename = "virtualVolumeID")]
    pub virtual_volume: Option<Uuid>,
    /// Names and values for the caller's own use.
    pub attributes: Map<String, Value>,
    /// How it is spread.
    pub current_protection_scheme: ProtectionScheme,
    /// How it was spread.
    pub previous_protection_scheme: Option<ProtectionScheme>,
    /// Snapshots kept by age.
    pub fifo_size: Option<u64>,
    /// Of these, reserved.
    pub min_fifo_size: Option<u64>,
}

mod calls;

pub use calls::{
    CreateVolume, DeleteVolumes, ListVolumes, ModifyVolume, OneVolume, PurgeVolumes, VolumeCreated, VolumeParam,
    Volumes,
};
