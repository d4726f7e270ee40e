//! KMIP key servers.

use serde::{Deserialize, Serialize};

use super::{KeyProviderId, KeyServerId};

/// The port when none is given: IANA's for KMIP.
pub const DEFAULT_PORT: u16 = 5696;

/// `KeyServerKmip`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyServerKmip {
    /// Given by the cluster, never changes.
    #[serde(rename = "keyServerID")]
    pub id: KeyServerId,
    /// A label; several servers may have the same.
    pub kmip_key_server_name: String,
    /// Several only for the members of one clustered key manager.
    pub kmip_key_server_hostnames: Vec<String>,
    /// TCP port.
    pub kmip_key_server_port: u16,
    /// PEM, one or more.
    pub kmip_ca_certificate: String,
    /// PEM.
    pub kmip_client_certificate: String,
    /// The provider it is assigned to.
    #[serde(rename = "keyProviderID")]
    pub provider: Option<KeyProviderId>,
    /// Whether that provider is active; null when unassigned.
    pub kmip_assigned_provider_is_active: Option<bool>,
}

/// Parameters of `CreateKeyServerKmip`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateKeyServer {
    /// PEM.
    pub kmip_ca_certificate: String,
    /// PEM.
    pub kmip_client_certificate: String,
    /// At least one.
    pub kmip_key_server_hostnames: Vec<String>,
    /// A label.
    pub kmip_key_server_name: String,
    /// [`DEFAULT_PORT`] when not given.
    pub kmip_key_server_port: Option<u16>,
}

/// Parameters of `ModifyKeyServerKmip`: what is not given stays.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModifyKeyServer {
    /// Which.
    #[serde(rename = "keyServerID")]
    pub id: KeyServerId,
    /// PEM.
    pub kmip_ca_certificate: Option<String>,
    /// PEM.
    pub kmip_client_certificate: Option<String>,
    /// At least one.
    pub kmip_key_server_hostnames: Option<Vec<String>>,
    /// A label.
    pub kmip_key_server_name: Option<String>,
    /// TCP port.
    pub kmip_key_server_port: Option<u16>,
}

impl ModifyKeyServer {
    /// Whether nothing is to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let strings = [&self.kmip_ca_certificate, &self.kmip_client_certificate, &self.kmip_key_server_name];
        strings.iter().all(|member| member.is_none())
            && self.kmip_key_server_hostnames.is_none()
            && self.kmip_key_server_port.is_none()
    }
}

/// Parameters of `ListKeyServersKmip`: what is not given does not filter, what is given combines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListKeyServers {
    /// Only those of this provider.
    #[serde(rename = "keyProviderID")]
    pub provider: Option<KeyProviderId>,
    /// Only those of active, or of inactive, providers.
    pub kmip_assigned_provider_is_active: Option<bool>,
    /// Only those that have, or have not, a provider.
    pub kmip_has_provider_assigned: Option<bool>,
}

impl ListKeyServers {
    /// Whether `server` is to be listed.
    #[must_use]
    pub fn matches(&self, server: &KeyServerKmip) -> bool {
        self.provider.is_none_or(|wanted| server.provider == Some(wanted))
            && self
                .kmip_assigned_provider_is_active
                .is_none_or(|wanted| server.kmip_assigned_provider_is_active == Some(wanted))
            && self.kmip_has_provider_assigned.is_none_or(|wanted| server.provider.is_some() == wanted)
    }
}

/// Parameters of the methods about one key server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct KeyServerParam {
    /// Which.
    #[serde(rename = "keyServerID")]
    pub id: KeyServerId,
}

/// A result with one key server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OneKeyServer {
    /// The server.
    #[serde(rename = "kmipKeyServer")]
    pub server: KeyServerKmip,
}

/// Result of `ListKeyServersKmip`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyServers {
    /// In the order of their ids.
    #[serde(rename = "kmipKeyServers")]
    pub servers: Vec<KeyServerKmip>,
}
