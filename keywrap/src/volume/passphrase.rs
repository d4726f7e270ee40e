//! Keyslots under a passphrase, which any LUKS2 program can open.

use super::error::VolumeError;
use super::keyslots::{remove_keyslot, write_keyslot};
use super::seal::HASH;
use super::unlock::{try_keyslot, unlock_with_passphrase};
use crate::keys::VolumeKey;
use crate::luks2::json::KdfKind;
use crate::luks2::store::Store;
use crate::medium::Medium;
use crate::secret::SecretBytes;

/// How a passphrase is stretched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KdfChoice {
    /// Argon2id (RFC 9106).
    Argon2id {
        /// Number of passes.
        time: u32,
        /// Memory in KiB.
        memory_kib: u32,
        /// Number of lanes, 1 to 4.
        cpus: u32,
    },
    /// PBKDF2-HMAC-SHA-256 (RFC 8018), for machines without the memory for Argon2.
    Pbkdf2 {
        /// Number of iterations.
        iterations: u32,
    },
}

impl Default for KdfChoice {
    /// Argon2id with 256 MiB and 4 passes: about a second on a server core, within reach of a rescue system.
    fn default() -> Self {
        Self::Argon2id { time: 4, memory_kib: 256 << 10, cpus: 4 }
    }
}

impl From<KdfChoice> for KdfKind {
    fn from(choice: KdfChoice) -> Self {
        match choice {
            KdfChoice::Argon2id { time, memory_kib, cpus } => Self::Argon2id { time, memory: memory_kib, cpus },
            KdfChoice::Pbkdf2 { iterations } => Self::Pbkdf2 { hash: HASH.to_owned(), iterations },
        }
    }
}

/// Adds a keyslot under a passphrase. Returns the keyslot's number.
///
/// # Errors
/// [`VolumeError::WrongVolumeKey`], costs outside the limits, no number or room left, and those of changing the header.
/// A cut leaves the volume as it was.
pub fn add_passphrase(
    header: &dyn Medium,
    volume_key: &VolumeKey,
    passphrase: &SecretBytes,
    kdf: KdfChoice,
) -> Result<u32, VolumeError> {
    let mut store = Store::open(header)?;
    let (slot, metadata) = write_keyslot(&mut store, volume_key, passphrase.expose_secret(), kdf.into())?;
    store.commit(metadata)?;
    Ok(slot)
}

/// Puts a new passphrase in the place of an old one. The new keyslot is read back from the medium and opened before
/// the old one is removed. Returns the new keyslot's number.
///
/// # Errors
/// [`VolumeError::WrongPassphrase`] for the old one, and those of [`add_passphrase`] and [`super::remove_keyslot`]. A
/// cut leaves the old passphrase, both, or the new one.
pub fn replace_passphrase(
    header: &dyn Medium,
    data_len: u64,
    old: &SecretBytes,
    new: &SecretBytes,
    kdf: KdfChoice,
) -> Result<u32, VolumeError> {
    let opened = unlock_with_passphrase(header, data_len, old)?;
    let slot = add_passphrase(header, &opened.volume_key, new, kdf)?;
    try_keyslot(&Store::open(header)?, slot, new.expose_secret())?.ok_or(VolumeError::KeyslotDamaged(slot))?;
    remove_keyslot(header, opened.keyslot)?;
    Ok(slot)
}
