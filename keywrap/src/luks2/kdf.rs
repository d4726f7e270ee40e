//! From a passphrase to the key of a keyslot area (LUKS2 spec, keyslot object `kdf`).
//!
//! A header is untrusted input: every cost is checked against a limit before any work or allocation is done.

use argon2::{Algorithm, Argon2, Params, Version};

use super::hash::Hash;
use crate::secret::SecretBytes;

/// The most memory that an Argon2 keyslot may ask for, in KiB: 4 GiB, which is also cryptsetup's limit.
pub const MAX_MEMORY_KIB: u32 = 4 << 20;
/// The most lanes that an Argon2 keyslot may ask for, which is also cryptsetup's limit.
pub const MAX_CPUS: u32 = 4;
/// The most Argon2 blocks (1 KiB each, memory × time) that one attempt may fill: some minutes on a slow machine.
pub const MAX_ARGON2_BLOCKS: u64 = 1 << 28;
/// The most PBKDF2 iterations that one attempt may take: about a minute on a slow machine.
pub const MAX_PBKDF2_ITERATIONS: u32 = 100_000_000;
/// Legal lengths of a salt in bytes; cryptsetup writes 32, Argon2 wants at least 8 (RFC 9106 §3.1).
pub const SALT_LEN: std::ops::RangeInclusive<usize> = 8..=512;

/// A key derivation function and its cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// PBKDF2 (RFC 8018).
    Pbkdf2 {
        /// Hash of the HMAC.
        hash: Hash,
        /// Number of iterations.
        iterations: u32,
    },
    /// Argon2 version 0x13 (RFC 9106).
    Argon2 {
        /// Argon2i or Argon2id.
        variant: Argon2Variant,
        /// Number of passes.
        time: u32,
        /// Memory in KiB.
        memory_kib: u32,
        /// Number of lanes.
        cpus: u32,
    },
}

/// Which Argon2; LUKS2 knows no Argon2d.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argon2Variant {
    /// Data-independent memory access.
    I,
    /// The hybrid that RFC 9106 recommends.
    Id,
}

/// Why no key was derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KdfError {
    /// A cost parameter outside of what Sear computes.
    #[error("keyslot kdf: {field} = {value} is outside {min} to {max}")]
    Limit {
        /// Name of the field as in the header's JSON, or a product of two.
        field: &'static str,
        /// The value found.
        value: u64,
        /// Least legal value.
        min: u64,
        /// Greatest legal value.
        max: u64,
    },
    /// The memory that Argon2 wants cannot be had.
    #[error("keyslot kdf: Argon2 wants {0} KiB of memory and the machine does not have it; free some and try again")]
    OutOfMemory(u32),
}

/// A KDF object: cost and salt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kdf {
    /// Function and cost.
    pub cost: Cost,
    /// Salt.
    pub salt: Vec<u8>,
}

impl Kdf {
    /// Derives `len` bytes from a passphrase.
    ///
    /// # Errors
    /// [`KdfError::Limit`] before any work, when a parameter is outside the limits of this module;
    /// [`KdfError::OutOfMemory`] when Argon2's memory cannot be allocated.
    pub fn derive(&self, passphrase: &[u8], len: usize) -> Result<SecretBytes, KdfError> {
        self.check()?;
        let mut key = SecretBytes::zeroed(len);
        match self.cost {
            Cost::Pbkdf2 { hash, iterations } => {
                hash.pbkdf2(passphrase, &self.salt, iterations, key.expose_secret_mut());
            }
            Cost::Argon2 { variant, time, memory_kib, cpus } => {
                let params =
                    Params::new(memory_kib, time, cpus, None).map_err(|_| KdfError::OutOfMemory(memory_kib))?;
                Argon2::new(variant.into(), Version::V0x13, params)
                    .hash_password_into(passphrase, &self.salt, key.expose_secret_mut())
                    .map_err(|_| KdfError::OutOfMemory(memory_kib))?;
            }
        }
        Ok(key)
    }

    /// Checks every parameter against the limits of this module, without deriving anything.
    ///
    /// # Errors
    /// [`KdfError::Limit`] for the first that is outside.
    pub fn check(&self) -> Result<(), KdfError> {
        within("salt length", self.salt.len() as u64, *SALT_LEN.start() as u64, *SALT_LEN.end() as u64)?;
        match self.cost {
            Cost::Pbkdf2 { iterations, .. } => within("iterations", iterations.into(), 1, MAX_PBKDF2_ITERATIONS.into()),
            Cost::Argon2 { time, memory_kib, cpus, .. } => {
                within("cpus", cpus.into(), 1, MAX_CPUS.into())?;
                // At least 8 KiB for each lane (RFC 9106 §3.1).
                within("memory", memory_kib.into(), u64::from(cpus) * 8, MAX_MEMORY_KIB.into())?;
                within("time", time.into(), 1, u32::MAX.into())?;
                within("memory × time", u64::from(time) * u64::from(memory_kib), 1, MAX_ARGON2_BLOCKS)
            }
        }
    }
}

fn within(field: &'static str, value: u64, min: u64, max: u64) -> Result<(), KdfError> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(KdfError::Limit { field, value, min, max }) }
}

impl From<Argon2Variant> for Algorithm {
    fn from(variant: Argon2Variant) -> Self {
        match variant {
            Argon2Variant::I => Self::Argon2i,
            Argon2Variant::Id => Self::Argon2id,
        }
    }
}

#[cfg(test)]
mod tests;
