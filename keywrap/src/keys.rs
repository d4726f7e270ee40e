//! The keys of the hierarchy as distinct types, so that one cannot be used in the place of another.
//!
//! ```text
//! MasterKey ─┬─ HKDF "sear/1/keyslot"    → KeyslotKey → LUKS2 keyslot → VolumeKey → AES-XTS
//!            └─ HKDF "sear/1/header-mac" → MacKey     → the sear token's MAC
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::secret::{Secret, SecretBytes};

/// The public name of a master key. It is written in headers, ledgers and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(pub Uuid);

impl KeyId {
    /// A fresh random id.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A 256-bit master key, as a key provider holds it.
pub struct MasterKey(pub Secret<32>);

/// The 256-bit key that takes a passphrase's place in a LUKS2 keyslot.
pub struct KeyslotKey(pub Secret<32>);

/// The 256-bit key of the sear token's MAC.
pub struct MacKey(pub Secret<32>);

/// A volume's data encryption key: the two halves of an XTS key, K1 ‖ K2, 256 or 512 bits in all.
pub struct VolumeKey(SecretBytes);

/// Why bytes are not a volume key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadVolumeKey {
    /// Neither AES-128-XTS nor AES-256-XTS.
    #[error("a volume key of {0} bytes is neither AES-128-XTS (32) nor AES-256-XTS (64)")]
    Length(usize),
    /// NIST SP 800-38E and FIPS 140 (IG C.I) forbid equal halves.
    #[error("the two halves of the XTS key are equal")]
    EqualHalves,
    /// The system's random generator failed.
    #[error("the operating system gave no randomness for a new key")]
    NoRandomness,
}

impl VolumeKey {
    /// A fresh AES-256-XTS key.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn random() -> Result<Self, BadVolumeKey> {
        let mut bytes = SecretBytes::zeroed(64);
        getrandom::fill(bytes.expose_secret_mut()).map_err(|_| BadVolumeKey::NoRandomness)?;
        Self::new(bytes)
    }

    /// Takes K1 ‖ K2, 32 or 64 bytes.
    ///
    /// # Errors
    /// When the length is neither, or K1 = K2.
    pub fn new(bytes: SecretBytes) -> Result<Self, BadVolumeKey> {
        let len = bytes.expose_secret().len();
        if len != 32 && len != 64 {
            return Err(BadVolumeKey::Length(len));
        }
        let (k1, k2) = bytes.expose_secret().split_at(len / 2);
        if bool::from(k1.ct_eq(k2)) {
            return Err(BadVolumeKey::EqualHalves);
        }
        Ok(Self(bytes))
    }

    /// K1 ‖ K2.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// Length of K1 ‖ K2 in bytes: 32 (AES-128-XTS) or 64 (AES-256-XTS).
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a volume key is never empty")]
    pub fn len(&self) -> usize {
        self.0.expose_secret().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_halves_and_odd_lengths_are_not_a_volume_key() {
        assert_eq!(VolumeKey::new(SecretBytes::zeroed(64)).err(), Some(BadVolumeKey::EqualHalves));
        assert_eq!(VolumeKey::new(SecretBytes::zeroed(48)).err(), Some(BadVolumeKey::Length(48)));
        assert_eq!(VolumeKey::random().unwrap().len(), 64);
    }
}
