//! The step of a rekey that touches a volume: the same data key under another master key.

use super::error::VolumeError;
use super::keyslots::{add_to, remove_from};
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
/// Those of [`unlock_with_master`] for either key, of [`add_master_keyslot`](super::add_master_keyslot) and of
/// [`remove_keyslot`](super::remove_keyslot).
pub fn rewrap(
    header: &dyn Medium,
    data_len: u64,
    from: (KeyId, &MasterKey),
    to: (KeyId, &MasterKey),
) -> Result<Opened, VolumeError> {
    let mut store = Store::open(header)?;
    if token_of(&store, to.0).is_none() {
        let old = unlock_with_master(header, data_len, from.0, from.1)?;
        add_to(&mut store, &old.volume_key, to.0, to.1)?;
    }
    // Both keyslots belong to the digest of the data segment, so the key that comes out here is the one that went in.
    let new = unlock_with_master(header, data_len, to.0, to.1)?;
    remove_old(&mut store, (from.0, Some(from.1)), to.0)?;
    Ok(new)
}

/// [`rewrap`] for a volume whose data key is at hand, because it is open: nothing has to be unlocked with `from`. Its master
/// key may be missing, when a key manager has ended it.
///
/// Without that key the token that names `from` cannot be verified. What it is used for is to find the keyslot to remove; the
/// new keyslot was opened from the medium before, and gave this data key.
///
/// # Errors
/// [`VolumeError::WrongVolumeKey`], and those of [`rewrap`].
pub fn rewrap_open(
    header: &dyn Medium,
    data_len: u64,
    volume_key: &VolumeKey,
    from: (KeyId, Option<&MasterKey>),
    to: (KeyId, &MasterKey),
) -> Result<(), VolumeError> {
    let mut store = Store::open(header)?;
    if token_of(&store, to.0).is_none() {
        add_to(&mut store, volume_key, to.0, to.1)?;
    }
    // From the medium, and with the same data key: both keyslots belong to the digest of the data segment.
    unlock_with_master(header, data_len, to.0, to.1)?;
    remove_old(&mut store, from, to.0)
}

/// Removes the keyslot of `from`. An earlier call may have been cut after overwriting its area: the token still verifies, the
/// keyslot is dead.
fn remove_old(store: &mut Store<'_>, from: (KeyId, Option<&MasterKey>), to: KeyId) -> Result<(), VolumeError> {
    let Some(token) = token_of(store, from.0).filter(|_| from.0 != to) else { return Ok(()) };
    let token = match from.1 {
        Some(master) => verified_token(store.header(), from.0, master)?,
        None => token,
    };
    remove_from(store, token.keyslot)
}

/// The token that names a master key, as far as it can be read.
fn token_of(store: &Store<'_>, key: KeyId) -> Option<SearToken> {
    let mut tokens = SearToken::all(&store.header().metadata).filter_map(|(_, token)| token.ok());
    tokens.find(|token| token.key_id == key)
}
