//! A keyslot of type `luks2`: passphrase → KDF → area cipher → anti-forensic merge → candidate volume key.
//!
//! What comes out is a candidate: only the digest that the keyslot is assigned to tells whether it is the volume key.

use super::af::{Af, BadMaterial};
use super::area_cipher::{AREA_SECTOR, AreaCipher, BadAreaKey};
use super::kdf::{Kdf, KdfError};
use crate::secret::SecretBytes;

/// Everything that turns a passphrase and an area into a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Passphrase to area key.
    pub kdf: Kdf,
    /// Spread of the key over the area.
    pub af: Af,
    /// Length of the area's key in bytes: 32 or 64.
    pub area_key_len: usize,
    /// Length of the key that is kept, in bytes.
    pub key_len: usize,
}

/// Why a keyslot gave no candidate, or could not be sealed.
#[derive(Debug, thiserror::Error)]
pub enum KeyslotError {
    /// The KDF refused its parameters or found no memory.
    #[error(transparent)]
    Kdf(#[from] KdfError),
    /// The area's key has an illegal length.
    #[error(transparent)]
    AreaKey(#[from] BadAreaKey),
    /// The area holds fewer bytes than the split key.
    #[error("keyslot area: {have} bytes cannot hold the {need} bytes of the split key")]
    AreaTooSmall {
        /// Length of the area in bytes.
        have: usize,
        /// Bytes that the split key takes, in whole 512-byte sectors.
        need: usize,
    },
    /// Stripes and key length do not fit together.
    #[error(transparent)]
    Material(#[from] BadMaterial),
    /// The random generator failed.
    #[error("the operating system gave no randomness for a keyslot: {0}")]
    NoRandomness(#[from] getrandom::Error),
}

impl Recipe {
    /// How many bytes of the area the split key takes, in whole 512-byte sectors; `None` on overflow.
    #[must_use]
    pub fn sealed_len(&self) -> Option<usize> {
        self.af.material_len(self.key_len)?.checked_next_multiple_of(AREA_SECTOR)
    }

    /// Opens the sealed key in `area`, the first [`Self::sealed_len`] bytes of the keyslot's area or more.
    ///
    /// # Errors
    /// When the parameters are outside the limits or do not fit together. A wrong passphrase is not an error here.
    pub fn open(&self, passphrase: &[u8], area: &[u8]) -> Result<SecretBytes, KeyslotError> {
        let need = self.sealed_len().unwrap_or(usize::MAX);
        let sealed = area.get(..need).ok_or(KeyslotError::AreaTooSmall { have: area.len(), need })?;
        let cipher = self.cipher(passphrase)?;
        let mut material = SecretBytes::copy_from(sealed);
        cipher.decrypt(material.expose_secret_mut());
        let split_len = self.af.material_len(self.key_len).unwrap_or(need);
        Ok(self.af.merge(&material.expose_secret()[..split_len], self.key_len)?)
    }

    /// Seals `key` under a passphrase. The result is [`Self::sealed_len`] bytes of ciphertext for the area's start.
    ///
    /// # Errors
    /// As [`Self::open`], and when there is no randomness for the split.
    pub fn seal(&self, passphrase: &[u8], key: &[u8]) -> Result<Vec<u8>, KeyslotError> {
        let cipher = self.cipher(passphrase)?;
        let material = self.af.split(key)?;
        let mut padded = SecretBytes::zeroed(material.expose_secret().len().next_multiple_of(AREA_SECTOR));
        padded.expose_secret_mut()[..material.expose_secret().len()].copy_from_slice(material.expose_secret());
        cipher.encrypt(padded.expose_secret_mut());
        Ok(padded.expose_secret().to_vec())
    }

    fn cipher(&self, passphrase: &[u8]) -> Result<AreaCipher, KeyslotError> {
        let key = self.kdf.derive(passphrase, self.area_key_len)?;
        Ok(AreaCipher::new(key.expose_secret())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luks2::hash::Hash;
    use crate::luks2::kdf::Cost;

    fn recipe(key_len: usize, area_key_len: usize) -> Recipe {
        let cost = Cost::Pbkdf2 { hash: Hash::Sha256, iterations: 10 };
        let af = Af { hash: Hash::Sha256, stripes: 4000 };
        Recipe { kdf: Kdf { cost, salt: vec![9; 32] }, af, area_key_len, key_len }
    }

    #[test]
    fn a_sealed_key_opens_with_its_passphrase_and_no_other() {
        for (key_len, area_key_len) in [(64, 64), (64, 32), (32, 64), (32, 32)] {
            let (recipe, key) = (recipe(key_len, area_key_len), vec![3; key_len]);
            let sealed = recipe.seal(b"right", &key).unwrap();
            assert_eq!(Some(sealed.len()), recipe.sealed_len());
            assert_eq!(recipe.open(b"right", &sealed).unwrap().expose_secret(), key);
            assert_ne!(recipe.open(b"wrong", &sealed).unwrap().expose_secret(), key);
        }
    }

    #[test]
    fn an_area_that_is_too_small_is_refused_before_any_work() {
        let error = recipe(64, 64).open(b"x", &[0; 255_999]).err().unwrap();
        assert!(matches!(error, KeyslotError::AreaTooSmall { have: 255_999, need: 256_000 }), "{error}");
    }
}
