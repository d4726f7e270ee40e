//! The step of a rekey that touches a volume: the same data key under another master key.

use subtle::ConstantTimeEq;

use super::error::VolumeError;
use super::inspect::key_ids;
use super::keyslots::{add_master_keyslot, remove_keyslot};
use super::unlock::{Opened, unlock_with_master};
use crate::keys::{KeyId, MasterKey};
use crate::medium::Medium;

/// Moves a volume from the master key `from` to the master key `to`: a new keyslot and token are added, read back from
/// the medium and opened, and only then is the old keyslot overwritten and removed. Data and data key do not change, so
/// I/O goes on meanwhile.
///
/// A cut leaves the volume under the old key, under both, or under the new one. Calling again finishes the work.
///
/// # Errors
/// Those of [`unlock_with_master`] for either key, [`VolumeError::WrongVolumeKey`] if the two keyslots hold different
/// keys, and those of [`add_master_keyslot`] and [`remove_keyslot`].
pub fn rewrap(
    header: &dyn Medium,
    data_len: u64,
    from: (KeyId, &MasterKey),
    to: (KeyId, &MasterKey),
) -> Result<Opened, VolumeError> {
    let ids = key_ids(header)?;
    if ids.contains(&to.0) && !ids.contains(&from.0) {
        return unlock_with_master(header, data_len, to.0, to.1);
    }
    let old = unlock_with_master(header, data_len, from.0, from.1)?;
    if !ids.contains(&to.0) {
        add_master_keyslot(header, &old.volume_key, to.0, to.1)?;
    }
    let new = unlock_with_master(header, data_len, to.0, to.1)?;
    if !bool::from(new.volume_key.expose_secret().ct_eq(old.volume_key.expose_secret())) {
        return Err(VolumeError::WrongVolumeKey);
    }
    remove_keyslot(header, old.keyslot)?;
    Ok(new)
}
