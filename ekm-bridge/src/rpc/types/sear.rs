//! Software encryption at rest, its master key, and rekeying.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::words::words;
use super::{AsyncHandleId, KeyProviderId, Timestamp};

words! {
    /// Who manages a key.
    KeyManagement {
        /// This system.
        Internal = "internal",
        /// A key provider.
        External = "external",
    }
}

words! {
    /// Whether software encryption at rest is on.
    SearState {
        /// Since the cluster was created, and for good.
        Enabled = "enabled",
        /// For good.
        Disabled = "disabled",
    }
}

words! {
    /// The phases of a rekey, in their order.
    ///
    /// ```text
    /// Ready → CreateNewMasterKey → RewrapDataEncryptionKeys → DecommissionOldMasterKey → Ready
    /// ```
    RekeyState {
        /// None runs, or it is done.
        Ready = "Ready",
        /// The new master key is being made.
        CreateNewMasterKey = "CreateNewMasterKey",
        /// Volumes are being moved to it.
        RewrapDataEncryptionKeys = "RewrapDataEncryptionKeys",
        /// Nothing depends on the old key any more; it is being taken out of service.
        DecommissionOldMasterKey = "DecommissionOldMasterKey",
    }
}

/// `EncryptionKeyInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptionKeyInfo {
    /// The key's UUID, also with external management; not the key manager's own identifier.
    #[serde(rename = "keyID")]
    pub id: Option<Uuid>,
    /// Who manages it.
    pub key_management_type: KeyManagement,
    /// By the cluster's clock.
    pub key_created_time: Option<Timestamp>,
    /// Its provider, when it is external.
    #[serde(rename = "keyProviderID")]
    pub provider: Option<KeyProviderId>,
}

/// Result of `GetSoftwareEncryptionAtRestInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearInfo {
    /// On or off.
    pub state: SearState,
    /// Grows by one each time it is switched on; 0 when it never was.
    pub version: u64,
    /// The master key in use.
    pub master_key_info: Option<EncryptionKeyInfo>,
    /// The rekey that runs or ran last, while its result is kept.
    #[serde(rename = "rekeyMasterKeyAsyncResultID")]
    pub rekey: Option<AsyncHandleId>,
}

/// Parameters of `RekeySoftwareEncryptionAtRestMasterKey`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RekeyMasterKey {
    /// As now, when it is not given.
    pub key_management_type: Option<KeyManagement>,
    /// Needed with `External`, forbidden otherwise.
    #[serde(rename = "keyProviderID")]
    pub provider: Option<KeyProviderId>,
}

/// The result of a rekey that is done, and its `details` while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RekeyInfo {
    /// The key that was replaced.
    pub key_to_decommission: Option<EncryptionKeyInfo>,
    /// The key that replaces it; null until it is made.
    pub new_key: Option<EncryptionKeyInfo>,
    /// What is done, for people.
    pub operation: String,
    /// How far it is.
    pub state: RekeyState,
    /// The first headers that still depend on an older key; left out when there are none. Ours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_behind: Vec<String>,
}
