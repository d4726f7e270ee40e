//! The step of a rekey that touches a volume: the same data key under another master key.

use super::error::VolumeError;
use super::inspect::key_ids;
use super::keyslots::{add_master_keyslot, remove_keyslot};
use super::unlock::{Opened, unlock_with_master, verified_token};
use crate::keys::{KeyId, MasterKey};
use crate::luks2::store::Store;
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
