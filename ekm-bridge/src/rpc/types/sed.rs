//! Hardware encryption at rest: the passwords of self-encrypting drives.

use serde::{Deserialize, Serialize};

use super::KeyProviderId;
use super::sear::EncryptionKeyInfo;
use super::words::words;

words! {
    /// How far hardware encryption at rest is.
    SedState {
        /// Drives have no password.
        Disabled = "disabled",
        /// Passwords are being set.
        Enabling = "enabling",
        /// All drives have their password.
        Enabled = "enabled",
        /// Passwords are being taken away.
        Disabling = "disabling",
    }
}

/// Parameters of `EnableEncryptionAtRest`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct EnableEncryption {
    /// Where the password comes from; internal when not given.
    #[serde(rename = "keyProviderID")]
    pub provider: Option<KeyProviderId>,
}

/// Result of `GetEncryptionAtRestInfo`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptionInfo {
    /// How far it is.
    pub state: SedState,
    /// The key behind the passwords.
    pub authentication_key_info: Option<EncryptionKeyInfo>,
}
