//! Drives. Here a drive is a file or block device that backs volumes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::words::words;
use super::{AsyncHandleId, DriveId, KeyProviderId, NodeId};

words! {
    /// What a drive may be used for just now.
    DriveStatus {
        /// Known, not in use.
        Available = "available",
        /// In use.
        Active = "active",
        /// Its key is being destroyed.
        Erasing = "erasing",
        /// Broken.
        Failed = "failed",
        /// Its data is being moved away.
        Removing = "removing",
    }
}

words! {
    /// What a drive holds.
    DriveType {
        /// Metadata.
        Volume = "volume",
        /// Data.
        Block = "block",
        /// Nothing yet.
        Unknown = "unknown",
    }
}

words! {
    /// What a drive shall hold.
    AddDriveType {
        /// Metadata.
        Slice = "slice",
        /// Metadata, under another name.
        Volume = "volume",
        /// Data.
        Block = "block",
    }
}

/// `DriveInfo`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriveInfo {
    /// The drive.
    #[serde(rename = "driveID")]
    pub id: DriveId,
    /// The node it is in.
    #[serde(rename = "nodeID")]
    pub node: NodeId,
    /// The maker's serial number, or the path.
    pub serial: String,
    /// Slot in the chassis; 0 without a chassis.
    pub slot: u64,
    /// The same as text.
    pub chassis_slot: String,
    /// Bytes.
    pub capacity: u64,
    /// Bytes that can be used.
    pub usable_capacity: u64,
    /// Bytes of a segment file; 0 here.
    pub segment_file_size: u64,
    /// What it may be used for.
    pub status: DriveStatus,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: DriveType,
    /// Not used.
    pub attributes: Map<String, Value>,
    /// Why it failed; `none` when it did not.
    pub drive_failure_detail: Option<String>,
    /// Why its password could not be set; `none` when it could.
    pub drive_security_fault_reason: Option<String>,
    /// The provider of the key that unlocks it.
    #[serde(rename = "keyProviderID")]
    pub provider: Option<KeyProviderId>,
    /// The key that unlocks it.
    #[serde(rename = "keyID")]
    pub key: Option<Uuid>,
}

/// Result of `ListDrives`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drives {
    /// In the order of their ids.
    pub drives: Vec<DriveInfo>,
}

/// A drive to add.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct NewDrive {
    /// Which.
    #[serde(rename = "driveID")]
    pub id: DriveId,
    /// What it shall hold; the system decides when it is not given.
    #[serde(rename = "type")]
    pub kind: Option<AddDriveType>,
}

/// Parameters of `AddDrives`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AddDrives {
    /// At least one.
    pub drives: Vec<NewDrive>,
}

/// Result of `AddDrives`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DrivesAdded {
    /// Null when there is nothing to wait for.
    #[serde(rename = "asyncHandle")]
    pub async_handle: Option<AsyncHandleId>,
}

/// Parameters of `RemoveDrives` and `SecureEraseDrives`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DriveList {
    /// At least one.
    pub drives: Vec<DriveId>,
}

/// Parameters of `ResetDrives`, a method of a node.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ResetDrives {
    /// Device names such as `slot3`, separated by commas.
    pub drives: String,
    /// Must be true.
    pub force: bool,
}

/// What became of one drive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResetDrive {
    /// Its device name.
    pub drive: String,
    /// 0 for success.
    #[serde(rename = "returnCode")]
    pub return_code: i32,
    /// What the reset said.
    pub stderr: String,
    /// What the reset said.
    pub stdout: String,
}

/// The inner part of the result of `ResetDrives`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResetDetails {
    /// One for each name.
    pub drives: Vec<ResetDrive>,
}

/// Result of `ResetDrives`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DrivesReset {
    /// Drive by drive.
    pub details: ResetDetails,
    /// How long it took, as `HH:MM:SS.fraction`.
    pub duration: Option<String>,
    /// `Passed` or `Failed`.
    pub result: Option<String>,
}
