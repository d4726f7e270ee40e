//! Key providers: sets of key servers that hold the same keys.

use serde::{Deserialize, Serialize};

use super::{KeyProviderId, KeyServerId};

/// `KeyProviderKmip`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyProviderKmip {
    /// Given by the cluster, never changes.
    #[serde(rename = "keyProviderID")]
    pub id: KeyProviderId,
    /// A label; several providers may have the same.
    pub key_provider_name: String,
    /// Whether keys that it made are in use.
    pub key_provider_is_active: bool,
    /// Its servers.
    #[serde(rename = "keyServerIDs")]
    pub servers: Vec<KeyServerId>,
    /// What the KMIP client can do, for people.
    pub kmip_capabilities: String,
}

/// Parameters of `CreateKeyProviderKmip`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateKeyProvider {
    /// A label.
    pub key_provider_name: String,
}

/// Parameters of `ListKeyProvidersKmip`: what is not given does not filter, what is given combines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListKeyProviders {
    /// Only active, or inactive, ones.
    pub key_provider_is_active: Option<bool>,
    /// Only those with, or without, servers.
    pub kmip_key_provider_has_server_assigned: Option<bool>,
}

impl ListKeyProviders {
    /// Whether `provider` is to be listed.
    #[must_use]
    pub fn matches(&self, provider: &KeyProviderKmip) -> bool {
        let has_server = !provider.servers.is_empty();
        self.key_provider_is_active.is_none_or(|wanted| provider.key_provider_is_active == wanted)
            && self.kmip_key_provider_has_server_assigned.is_none_or(|wanted| has_server == wanted)
    }
}

/// Parameters of the methods about one key provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct KeyProviderParam {
    /// Which.
    #[serde(rename = "keyProviderID")]
    pub id: KeyProviderId,
}

/// Parameters of `AddKeyServerToProviderKmip`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct AddKeyServer {
    /// To which.
    #[serde(rename = "keyProviderID")]
    pub provider: KeyProviderId,
    /// Which.
    #[serde(rename = "keyServerID")]
    pub server: KeyServerId,
}

/// A result with one key provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OneKeyProvider {
    /// The provider.
    #[serde(rename = "kmipKeyProvider")]
    pub provider: KeyProviderKmip,
}

/// Result of `ListKeyProvidersKmip`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyProviders {
    /// In the order of their ids.
    #[serde(rename = "kmipKeyProviders")]
    pub providers: Vec<KeyProviderKmip>,
}
