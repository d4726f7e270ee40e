//! Key servers: where a KMIP key manager is reached, and how it is trusted.

use serde::{Deserialize, Serialize};

use super::id::counted_id;
use super::key_providers::KeyProviderId;
use super::record::Record;

counted_id! {
    /// Given by the cluster, and never changed.
    pub KeyServerId
}

/// The port of KMIP (IANA).
pub const KMIP_PORT: u16 = 5696;

/// One key manager; several hosts when they are one cluster of it. Its private key is kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyServer {
    /// Its id.
    pub id: KeyServerId,
    /// A label for people; several may have the same.
    pub name: String,
    /// Host names or addresses.
    pub hostnames: Vec<String>,
    /// The port, the same on every host.
    pub port: u16,
    /// The certificates that vouch for it, in PEM.
    pub ca_certificate: String,
    /// The certificate shown to it, in PEM.
    pub client_certificate: String,
    /// The provider it serves.
    pub provider: Option<KeyProviderId>,
}

impl Record for KeyServer {
    const KIND: &'static str = "key-server";
    type Id = KeyServerId;

    fn id(&self) -> KeyServerId {
        self.id
    }
}
