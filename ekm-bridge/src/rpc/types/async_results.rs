//! Work that goes on after the reply, and how to ask for it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::words::words;
use super::{AsyncHandleId, Timestamp};

words! {
    /// Whether the work is done.
    AsyncStatus {
        /// It goes on.
        Running = "running",
        /// It succeeded or failed.
        Complete = "complete",
    }
}

words! {
    /// The kinds of work.
    AsyncResultType {
        /// `AddDrives`.
        DriveAdd = "DriveAdd",
        /// `RemoveDrives`.
        DriveRemoval = "DriveRemoval",
        /// `SecureEraseDrives`; our name, none is public.
        DriveSecureErase = "DriveSecureErase",
        /// Bulk reads and writes of volumes; never made here.
        BulkVolume = "BulkVolume",
        /// Copies of volumes; never made here.
        Clone = "Clone",
        /// Nodes that join; never made here.
        RtfiPendingNode = "RtfiPendingNode",
        /// `RekeySoftwareEncryptionAtRestMasterKey`.
        RekeyMasterKey = "RekeySoftwareEncryptionAtRestMasterKey",
    }
}

/// Parameters of `GetAsyncResult`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetAsyncResult {
    /// Which.
    pub async_handle: AsyncHandleId,
    /// Whether a final result may be asked for again; false when not given.
    pub keep_result: Option<bool>,
}

/// Result of `GetAsyncResult`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AsyncResult {
    /// Whether it is done.
    pub status: AsyncStatus,
    /// When it began.
    pub create_time: Timestamp,
    /// When it last went on.
    pub last_update_time: Timestamp,
    /// What it is.
    pub result_type: AsyncResultType,
    /// `result`, `error` or `details`.
    #[serde(flatten)]
    pub outcome: AsyncOutcome,
}

/// How the work went; exactly one of three members.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AsyncOutcome {
    /// It goes on; how far it is.
    Details(Value),
    /// It succeeded.
    Result(Value),
    /// It failed. This is inside of a successful reply: the question was answered.
    Error(AsyncError),
}

/// Why the work failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AsyncError {
    /// As in the error of a call.
    pub name: String,
    /// What happened and what to do.
    pub message: String,
}

/// Parameters of `ListAsyncResults`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListAsyncResults {
    /// Only of these types.
    pub async_result_types: Option<Vec<AsyncResultType>>,
}

/// An entry of `ListAsyncResults`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AsyncEntry {
    /// The handle.
    #[serde(rename = "asyncResultID")]
    pub id: AsyncHandleId,
    /// Whether it is done.
    pub completed: bool,
    /// When it began.
    pub create_time: Timestamp,
    /// When it last went on.
    pub last_update_time: Timestamp,
    /// What it is.
    pub result_type: AsyncResultType,
    /// Whether it succeeded; false while it runs.
    pub success: bool,
    /// What belongs to it.
    pub data: Map<String, Value>,
}

/// Result of `ListAsyncResults`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AsyncEntries {
    /// In the order of their handles.
    pub async_handles: Vec<AsyncEntry>,
}
