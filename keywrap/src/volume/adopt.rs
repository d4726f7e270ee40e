//! An existing LUKS2 volume becomes one of ours, without a byte of data being moved.

use super::error::VolumeError;
use super::keyslots::add_master_keyslot;
use super::unlock::{Opened, unlock_with_master, unlock_with_passphrase};
use crate::keys::{KeyId, MasterKey};
use crate::medium::Medium;
use crate::secret::SecretBytes;

/// Adds a keyslot under a master key and its token next to what is there. Nothing else changes: the passphrase still
/// opens the volume.
///
/// # Errors
/// Those of [`unlock_with_passphrase`] and [`add_master_keyslot`]. A cut leaves the volume as it was, or adopted.
pub fn adopt(
    header: &dyn Medium,
    data_len: u64,
    passphrase: &SecretBytes,
    key_id: KeyId,
    master: &MasterKey,
) -> Result<Opened, VolumeError> {
    let opened = unlock_with_passphrase(header, data_len, passphrase)?;
    add_master_keyslot(header, &opened.volume_key, key_id, master)?;
    unlock_with_master(header, data_len, key_id, master)
}
