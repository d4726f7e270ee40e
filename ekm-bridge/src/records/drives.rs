//! The drives of the cluster, those that are not part of it yet included.

use std::path::PathBuf;

use keywrap::keys::KeyId;
use serde::{Deserialize, Serialize};

use super::id::counted_id;
use super::record::Record;

counted_id! {
    /// Given by the cluster when it first sees a drive.
    pub DriveNumber
}

/// One drive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drive {
    /// Its id.
    pub id: DriveNumber,
    /// What it is for.
    pub kind: DriveKind,
    /// Its directory or device, each once.
    pub path: PathBuf,
    /// Bytes.
    pub capacity: u64,
    /// What it does.
    pub status: DriveStatus,
    /// Why it failed, while it is failed.
    pub failure: Option<String>,
    /// The key that unlocks it, when one does.
    pub key: Option<KeyId>,
}

/// What a drive is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DriveKind {
    /// A copy of the store ("volume" in the API, "slice" when it is added).
    Metadata,
    /// The data of volumes.
    Block,
}

/// What a drive does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DriveStatus {
    /// Nothing: it can be added.
    Available,
    /// Its part of the work.
    Active,
    /// It is being erased.
    Erasing,
    /// It does not work.
    Failed,
    /// It is being taken out.
    Removing,
}

/// The name under which a drive is found by its path.
pub const BY_PATH: &str = "path";

/// Longest path that is an index, in bytes; a key has room for it. Drives with longer ones are not found by path.
const MAX_INDEXED_PATH: usize = 128;

impl Record for Drive {
    const KIND: &'static str = "drive";
    type Id = DriveNumber;

    fn id(&self) -> DriveNumber {
        self.id
    }

    fn index(&self) -> Vec<(&'static str, String)> {
        let path = self.path.to_str().filter(|path| path.len() <= MAX_INDEXED_PATH);
        path.map(|path| (BY_PATH, path.to_owned())).into_iter().collect()
    }
}
