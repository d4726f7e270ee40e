//! The ledger of master keys, and backups of headers. None of it is Element's: these objects are ours.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sear::EncryptionKeyInfo;
use super::words::words;
use super::{KeyProviderId, Timestamp, VolumeId};

words! {
    /// The states of a master key, first to last.
    KeyState {
        /// Made, and not yet in force.
        Created = "created",
        /// In force.
        Active = "active",
        /// Replaced; something may depend on it.
        ToDecommission = "toDecommission",
        /// Its key servers give it out no more.
        Revoked = "revoked",
        /// Gone.
        Destroyed = "destroyed",
    }
}

/// A master key with what depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MasterKey {
    /// Id, management, creation.
    #[serde(flatten)]
    pub info: EncryptionKeyInfo,
    /// How far it is.
    pub state: KeyState,
    /// Whether new volumes are wrapped by it.
    pub is_in_force: bool,
    /// How many headers depend on it.
    pub dependants: usize,
    /// The first of them.
    pub dependant_names: Vec<String>,
    /// What its end waits for; null when it does not end.
    pub waits_for: Option<String>,
}

/// Result of `ListMasterKeys`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MasterKeys {
    /// Oldest first.
    pub master_keys: Vec<MasterKey>,
}

/// Parameters of `GetMasterKeyReport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct OneKey {
    /// The key.
    #[serde(rename = "keyID")]
    pub key: Uuid,
}

/// Parameters of `DecommissionMasterKey`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DecommissionKey {
    /// The key.
    #[serde(rename = "keyID")]
    pub key: Uuid,
    /// Whether it ends although headers depend on it.
    pub force: Option<bool>,
    /// With `force`: the names of exactly those headers.
    pub dependants: Option<Vec<String>>,
}

/// Parameters of `SetMasterKeyRotation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct SetRotation {
    /// Whose keys; internal ones when it is not given.
    #[serde(rename = "keyProviderID")]
    pub provider: Option<KeyProviderId>,
    /// After so many days; never when it is not given.
    pub days: Option<u32>,
}

/// Result of `GetMasterKeyReport`: the certificate of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyReport {
    /// The cluster's UUID.
    #[serde(rename = "clusterUUID")]
    pub cluster: Uuid,
    /// Its name.
    pub cluster_name: String,
    /// When this was written.
    pub written: Timestamp,
    /// The key.
    pub key: EncryptionKeyInfo,
    /// How far it is.
    pub state: KeyState,
    /// Every state that it went into.
    pub states: Vec<ReportStep>,
    /// What depends on it now.
    pub dependants_now: Vec<String>,
    /// How many headers depended on it, each time that this changed.
    pub dependants_over_time: Vec<ReportSample>,
    /// The word of an administrator, if one was given.
    pub word: Option<ReportWord>,
    /// The proof that nothing depends on it.
    pub proof: Option<ReportProof>,
    /// What key servers and metadata drives answered at its end.
    pub answers: Vec<ReportAnswer>,
    /// Servers that held it and left its provider: copies may be on them.
    pub copies_left: Vec<String>,
    /// What this report cannot tell.
    pub limits: Vec<String>,
}

/// A state that a key went into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportStep {
    /// When.
    pub time: Timestamp,
    /// Which.
    pub state: KeyState,
    /// Why.
    pub why: String,
    /// The head of the audit log after the entry about it, `NUMBER:HASH`.
    pub audit_head: Option<String>,
}

/// How many headers depended on a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportSample {
    /// When.
    pub time: Timestamp,
    /// How many.
    pub count: usize,
    /// The first of them.
    pub names: Vec<String>,
}

/// The word of an administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportWord {
    /// When.
    pub time: Timestamp,
    /// Whose.
    pub by: String,
    /// Whether the key was to end whatever depended on it.
    pub is_forced: bool,
    /// How many headers did.
    pub dependants: usize,
}

/// That nothing depends on a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportProof {
    /// When it was complete.
    pub time: Timestamp,
    /// How many headers there were.
    pub headers: usize,
    /// The key in force.
    #[serde(rename = "keyInForceID")]
    pub key_in_force: Uuid,
    /// The key servers that gave it out then: all of its provider.
    pub given_out_by: Vec<String>,
    /// Every header, with the keys that it named.
    pub readings: Vec<ReportReading>,
}

/// One header that does not name the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportReading {
    /// Its name.
    pub header: String,
    /// When it was read.
    pub time: Timestamp,
    /// The keys that it named.
    #[serde(rename = "keyIDs")]
    pub keys: Vec<Uuid>,
    /// Whether it was away when the proof was made, so that an earlier reading counts.
    pub is_earlier: bool,
}

/// What one place answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportAnswer {
    /// When.
    pub time: Timestamp,
    /// The key server or metadata drive.
    pub place: String,
    /// `revoke`, `destroy` or `wipe`.
    pub request: String,
    /// What it said.
    pub answer: String,
    /// Whether it is done there.
    pub is_done: bool,
}

/// Parameters of `CreateVolumeHeaderBackup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct BackUpHeader {
    /// The volume.
    #[serde(rename = "volumeID")]
    pub volume: VolumeId,
}

/// Parameters of `ListVolumeHeaderBackups`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct ListBackups {
    /// Of this volume only.
    #[serde(rename = "volumeID")]
    pub volume: Option<VolumeId>,
}

/// Parameters of `DeleteVolumeHeaderBackup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteBackup {
    /// The backup.
    #[serde(rename = "headerBackupID")]
    pub id: Uuid,
    /// The word of an administrator that it does not exist any more, for one that is not where it was.
    pub is_gone: Option<bool>,
}

/// A backup of a volume's header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderBackup {
    /// Its id.
    #[serde(rename = "headerBackupID")]
    pub id: Uuid,
    /// The volume.
    #[serde(rename = "volumeID")]
    pub volume: VolumeId,
    /// The file, on the node.
    pub path: String,
    /// When it was made.
    pub created: Timestamp,
    /// The master keys that open it, or may.
    #[serde(rename = "keyIDs")]
    pub keys: Vec<Uuid>,
    /// When it was last read.
    pub last_read: Option<Timestamp>,
    /// What is wrong with it.
    pub trouble: Option<String>,
}

/// Result of `CreateVolumeHeaderBackup`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OneBackup {
    /// The backup.
    pub header_backup: HeaderBackup,
}

/// Result of `ListVolumeHeaderBackups`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backups {
    /// The backups.
    pub header_backups: Vec<HeaderBackup>,
}
