//! Parameters and results of the methods about volumes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ProtectionScheme, SetQos, Volume, VolumeAccess, VolumeStatus};
use crate::rpc::types::{AccountId, QosPolicyId, VolumeAccessGroupId, VolumeId};

/// Parameters of `ListVolumes`. `volumes` excludes `accounts`, `start_volume` and `limit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListVolumes {
    /// The first id.
    #[serde(rename = "startVolumeID")]
    pub start_volume: Option<VolumeId>,
    /// At most so many.
    pub limit: Option<u64>,
    /// Only in this status.
    pub volume_status: Option<VolumeStatus>,
    /// Only of these accounts.
    pub accounts: Option<Vec<AccountId>>,
    /// Only those that are, or are not, replicated.
    pub is_paired: Option<bool>,
    /// Only these.
    #[serde(rename = "volumeIDs")]
    pub volumes: Option<Vec<VolumeId>>,
    /// Only with this name.
    pub volume_name: Option<String>,
    /// There are none.
    pub include_virtual_volumes: Option<bool>,
    /// Only of these schemes.
    pub protection_schemes: Option<Vec<ProtectionScheme>>,
}

impl ListVolumes {
    /// Whether parameters that exclude each other are given.
    #[must_use]
    pub fn is_contradiction(&self) -> bool {
        let others = self.start_volume.is_some() || self.limit.is_some() || self.accounts.is_some();
        self.volumes.is_some() && others
    }

    /// Whether `volume` is to be listed, `limit` aside.
    #[must_use]
    pub fn matches(&self, volume: &Volume) -> bool {
        let schemes = self.protection_schemes.as_ref();
        self.start_volume.is_none_or(|first| volume.id >= first)
            && self.volume_status.is_none_or(|wanted| volume.status == wanted)
            && self.accounts.as_ref().is_none_or(|wanted| wanted.contains(&volume.account))
            && self.is_paired.is_none_or(|wanted| volume.volume_pairs.is_empty() != wanted)
            && self.volumes.as_ref().is_none_or(|wanted| wanted.contains(&volume.id))
            && self.volume_name.as_ref().is_none_or(|wanted| volume.name == *wanted)
            && schemes.is_none_or(|wanted| wanted.contains(&volume.current_protection_scheme))
    }
}

/// Parameters of `CreateVolume`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateVolume {
    /// A label of 1 to 64 characters.
    pub name: String,
    /// The owner.
    #[serde(rename = "accountID")]
    pub account: AccountId,
    /// Bytes; rounded up.
    pub total_size: u64,
    /// Sectors of 512 bytes; false when not given.
    pub enable512e: Option<bool>,
    /// Excludes `qos_policy`.
    pub qos: Option<SetQos>,
    /// Names and values for the caller's own use.
    pub attributes: Option<Map<String, Value>>,
    /// Whether later changes of the policy reach the volume.
    #[serde(rename = "associateWithQoSPolicy")]
    pub associate_with_qos_policy: Option<bool>,
    /// Only `snapMirrorTarget`, which does not exist here.
    pub access: Option<VolumeAccess>,
    /// Does not exist here.
    pub enable_snap_mirror_replication: Option<bool>,
    /// Excludes `qos`.
    #[serde(rename = "qosPolicyID")]
    pub qos_policy: Option<QosPolicyId>,
    /// How to spread it.
    pub protection_scheme: Option<ProtectionScheme>,
    /// Snapshots kept by age.
    pub fifo_size: Option<u64>,
    /// Of these, reserved.
    pub min_fifo_size: Option<u64>,
}

/// Parameters of `ModifyVolume`: what is not given stays.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModifyVolume {
    /// Which.
    #[serde(rename = "volumeID")]
    pub id: VolumeId,
    /// A new owner.
    #[serde(rename = "accountID")]
    pub account: Option<AccountId>,
    /// What clients may do.
    pub access: Option<VolumeAccess>,
    /// Excludes `qos_policy`.
    pub qos: Option<SetQos>,
    /// Bytes; volumes only grow.
    pub total_size: Option<u64>,
    /// Replaces all of them.
    pub attributes: Option<Map<String, Value>>,
    /// Whether later changes of the policy reach the volume.
    #[serde(rename = "associateWithQoSPolicy")]
    pub associate_with_qos_policy: Option<bool>,
    /// Excludes `qos`.
    #[serde(rename = "qosPolicyID")]
    pub qos_policy: Option<QosPolicyId>,
    /// Does not exist here.
    pub enable_snap_mirror_replication: Option<bool>,
    /// Snapshots kept by age.
    pub fifo_size: Option<u64>,
    /// Of these, reserved.
    pub min_fifo_size: Option<u64>,
}

/// Parameters of the methods about one volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct VolumeParam {
    /// Which.
    #[serde(rename = "volumeID")]
    pub id: VolumeId,
}

/// Parameters of `DeleteVolumes`: exactly one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct DeleteVolumes {
    /// All volumes of these accounts.
    #[serde(rename = "accountIDs")]
    pub accounts: Option<Vec<AccountId>>,
    /// All volumes of these groups.
    #[serde(rename = "volumeAccessGroupIDs")]
    pub groups: Option<Vec<VolumeAccessGroupId>>,
    /// These.
    #[serde(rename = "volumeIDs")]
    pub volumes: Option<Vec<VolumeId>>,
}

/// Parameters of `PurgeDeletedVolumes`: exactly one list.
pub type PurgeVolumes = DeleteVolumes;

/// Result of `CreateVolume`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VolumeCreated {
    /// The volume.
    pub volume: Volume,
    /// Its id.
    #[serde(rename = "volumeID")]
    pub id: VolumeId,
    /// Its quality-of-service curve.
    pub curve: BTreeMap<String, u64>,
}

/// Result of `ModifyVolume` and `DeleteVolume`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OneVolume {
    /// The volume as it is now.
    pub volume: Volume,
}

/// Result of `ListVolumes` and `DeleteVolumes`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Volumes {
    /// In the order of their ids.
    pub volumes: Vec<Volume>,
}
