//! The step of a rekey that touches a volume: the same data key under another master key.

use super::error::VolumeError;
use super::inspect::key_ids;
use super::keyslots::{add_master_keyslot, remove_keyslot};
use super::unlock::{Opened, unlock_with_master, verified_token};
use crate::keys::{KeyId, MasterKey, VolumeKey};
use crate::luks2::store::Store;
use crate::luks2::token::SearToken;
use crate::medium::Medium;

/// Moves a volume from the master key `from` to the master key `to`: a new keyslot and token are added, read back from
/// the medium and opened, and only then is the old keyslot overwritten and removed. Data and data key do not change, so
/// I/O goes on meanwhile.
///
/// A cut leaves the volume under the old key, under both, or under the new one. Calling again finishes the work.
///
/// # Errors
/// Those of [`unlock_with_master`] for either key, and those of [`add_master_keyslot`] and [`remove_keyslot`].
pub fn rewrap(
    header: &dyn Medium,
    data_len: u64,
    from: (KeyId, &MasterKey),
    to: (KeyId, &MasterKey),
) -> Result<Opened, VolumeError> {
    if !key_ids(header)?.contains(&to.0) {
        let old = unlock_with_master(header, data_len, from.0, from.1)?;
        add_master_keyslot(header, &old.volume_key, to.0, to.1)?;
    }
    // Both keyslots belong to the digest of the data segment, so the key that comes out here is the one that went in.
    let new = unlock_with_master(header, data_len, to.0, to.1)?;
    if from.0 != to.0 && key_ids(header)?.contains(&from.0) {
        // An earlier call may have been cut after overwriting the area: the token still verifies, the keyslot is dead.
        let old = verified_token(Store::open(header)?.header(), from.0, from.1)?;
        remove_keyslot(header, old.keyslot)?;
    }
    Ok(new)
}

/// [`rewrap`] for a volume whose data key is at hand while the master key `from` is not: a key manager has ended it, and the
/// volume is still open. The keyslot of `from` is removed without its key.
///
/// The token that names `from` cannot be verified without it. What it is used for is to find the keyslot to remove; the new
/// keyslot was opened from the medium before, and gave this data key.
///
/// # Errors
/// [`VolumeError::WrongVolumeKey`], and those of [`unlock_with_master`], [`add_master_keyslot`] and [`remove_keyslot`].
pub fn rewrap_open(
    header: &dyn Medium,
    data_len: u64,
    volume_key: &VolumeKey,
    from: KeyId,
    to: (KeyId, &MasterKey),
) -> Result<(), VolumeError> {
    if !key_ids(header)?.contains(&to.0) {
        add_master_keyslot(header, volume_key, to.0, to.1)?;
    }
    // From the medium, and with the same data key: both keyslots belong to the digest of the data segment.
    unlock_with_master(header, data_len, to.0, to.1)?;
    if from == to.0 {
        return Ok(());
    }
    let store = Store::open(header)?;
    let slot = SearToken::all(&store.header().metadata)
        .filter_map(|(_, token)| token.ok())
        .find(|token| token.key_id == from)
        .map(|token| token.keyslot);
    match slot {
        Some(slot) => remove_keyslot(header, slot),
        None => Ok(()),
    }
}
