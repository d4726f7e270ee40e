//! The volumes of the cluster, as its API tells of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::id::counted_id;
use super::record::Record;
use crate::time::UnixSeconds;

counted_id! {
    /// Given by the cluster, and never given again.
    pub VolumeId
}

/// Names under which volumes are found.
pub mod index {
    /// By UUID, as text.
    pub const UUID: &str = "uuid";
    /// By the number of the account.
    pub const ACCOUNT: &str = "account";
}

/// One volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Its id.
    pub id: VolumeId,
    /// The UUID in its LUKS2 header.
    pub uuid: Uuid,
    /// A name for people; several may have the same.
    pub name: String,
    /// The account it belongs to.
    pub account: u64,
    /// Bytes of plaintext.
    pub size: u64,
    /// Whether it can be used.
    pub status: VolumeStatus,
    /// When it was made.
    pub created: UnixSeconds,
    /// Who may do what.
    pub access: Access,
    /// The limits and guarantees that were asked for.
    pub qos: Qos,
    /// What its maker attached to it.
    pub attributes: Map<String, Value>,
    /// Whether it shows sectors of 512 bytes.
    pub enable_512e: bool,
    /// The file or device that holds it, once there is one.
    pub path: Option<PathBuf>,
    /// Where it lies, when that is not the data directory; also before it has a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Site>,
}

/// A place of a volume's own: files or block devices, by absolute paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The encrypted data.
    pub data: PathBuf,
    /// The header, when it is not in front of the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<PathBuf>,
}

impl Site {
    /// Where the header is.
    #[must_use]
    pub fn of_header(&self) -> &Path {
        self.header.as_deref().unwrap_or(&self.data)
    }

    /// The one or two files or devices.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        [Some(&self.data), self.header.as_ref()].into_iter().flatten().map(PathBuf::as_path)
    }

    /// Whether the two have a file or device in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.paths().any(|path| other.paths().any(|taken| taken == path))
    }
}

/// Whether a volume can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum VolumeStatus {
    /// It can.
    Active,
    /// It was deleted, and can be restored until it is purged.
    Deleted {
        /// When it was deleted.
        at: UnixSeconds,
        /// When it is purged, at the earliest.
        purge: UnixSeconds,
    },
}

/// Who may do what with a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Access {
    /// Read and write.
    ReadWrite,
    /// Read.
    ReadOnly,
    /// Nothing.
    Locked,
    /// Written by replication only.
    ReplicationTarget,
}

/// Quality of service, in operations of 4 KiB per second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Qos {
    /// Promised.
    pub min_iops: u64,
    /// Allowed for long.
    pub max_iops: u64,
    /// Allowed for a short time.
    pub burst_iops: u64,
    /// That time in seconds.
    pub burst_seconds: u64,
    /// The cost of an operation by its bytes, in hundredths of one of 4 KiB.
    pub curve: BTreeMap<u64, u64>,
}

impl Record for Volume {
    const KIND: &'static str = "api-volume";
    type Id = VolumeId;

    fn id(&self) -> VolumeId {
        self.id
    }

    fn index(&self) -> Vec<(&'static str, String)> {
        vec![(index::UUID, self.uuid.to_string()), (index::ACCOUNT, self.account.to_string())]
    }
}
