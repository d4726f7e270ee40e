//! Keyslots come and go; the volume key and the data stay.

use super::error::VolumeError;
use super::recipe::{digest, in_keyslot, is_usable};
use super::seal::{area_len, context, derived_key_cost, random_salt, seal};
use crate::derive;
use crate::keys::{KeyId, MasterKey, VolumeKey};
use crate::luks2::area::allocate;
use crate::luks2::json::{KdfKind, Metadata, Object};
use crate::luks2::mac;
use crate::luks2::store::Store;
use crate::luks2::token::SearToken;
use crate::medium::Medium;

/// Adds a keyslot under a master key, and its token. Returns the keyslot's number.
///
/// # Errors
/// [`VolumeError::WrongVolumeKey`], [`VolumeError::KeyIdInUse`], no number or room left, and those of changing the
/// header. A cut leaves the volume as it was.
pub fn add_master_keyslot(
    header: &dyn Medium,
    volume_key: &VolumeKey,
    key_id: KeyId,
    master: &MasterKey,
) -> Result<u32, VolumeError> {
    add_to(&mut Store::open(header)?, volume_key, key_id, master)
}

/// [`add_master_keyslot`] to a header that is open.
pub(super) fn add_to(
    store: &mut Store<'_>,
    volume_key: &VolumeKey,
    key_id: KeyId,
    master: &MasterKey,
) -> Result<u32, VolumeError> {
    let uuid = store.header().uuid;
    if SearToken::all(&store.header().metadata).any(|(_, token)| token.is_ok_and(|token| token.key_id == key_id)) {
        return Err(VolumeError::KeyIdInUse(key_id));
    }
    let mut token =
        SearToken { keyslot: 0, key_id, salt: random_salt()?, mac: mac::Mac::default(), rest: Object::default() };
    let passphrase = derive::keyslot_key(master, context(&token, uuid.as_str()));
    let mac_key = derive::mac_key(master, context(&token, uuid.as_str()));
    let (slot, mut metadata) = write_keyslot(store, volume_key, passphrase.0.expose_secret(), derived_key_cost())?;
    token.keyslot = slot;
    mac::seal(&mac_key, &uuid, &metadata, &mut token)?;
    metadata.tokens.retain(|_, token| !SearToken::is_orphan(token));
    let number = metadata.free_token().ok_or(VolumeError::Full("tokens"))?;
    metadata.tokens.insert(number, token.to_token());
    store.commit(metadata)?;
    Ok(slot)
}

/// Removes a keyslot: its area is overwritten and read back, then it leaves the header with every token of Sear's that
/// pointed at it alone.
///
/// # Errors
/// [`VolumeError::NoSuchKeyslot`]; [`VolumeError::LastKeyslot`] when no other keyslot is left that Sear could open;
/// and those of changing the header. A cut may leave a keyslot in the header that no longer opens; remove it again.
pub fn remove_keyslot(header: &dyn Medium, slot: u32) -> Result<(), VolumeError> {
    remove_from(&mut Store::open(header)?, slot)
}

/// [`remove_keyslot`] from a header that is open.
pub(super) fn remove_from(store: &mut Store<'_>, slot: u32) -> Result<(), VolumeError> {
    let mut metadata = store.header().metadata.clone();
    if !metadata.keyslots.contains_key(&slot) {
        return Err(VolumeError::NoSuchKeyslot(slot));
    }
    let mut others = metadata.keyslots.iter().filter(|(id, _)| **id != slot);
    if !others.any(|(&id, keyslot)| is_usable(id, keyslot, &metadata)) {
        return Err(VolumeError::LastKeyslot(slot));
    }
    store.wipe_area(slot)?;
    metadata.remove_keyslot(slot);
    Ok(store.commit(metadata)?)
}

/// Seals the volume key into a free area and syncs it. Returns the keyslot's number, and the metadata with the new
/// keyslot in it, which is not committed yet.
pub(super) fn write_keyslot(
    store: &mut Store<'_>,
    volume_key: &VolumeKey,
    passphrase: &[u8],
    cost: KdfKind,
) -> Result<(u32, Metadata), VolumeError> {
    let mut metadata = store.header().metadata.clone();
    let digest_id = recognise(&metadata, volume_key)?;
    let slot = metadata.free_keyslot().ok_or(VolumeError::Full("keyslots"))?;
    let offset = allocate(&metadata, store.header().size, area_len(volume_key))?;
    let sealed = seal(slot, offset, volume_key, passphrase, cost)?;
    store.write_area(offset, &sealed.bytes)?;
    metadata.keyslots.insert(slot, sealed.keyslot);
    if let Some(digest) = metadata.digests.get_mut(&digest_id) {
        digest.keyslots.push(slot);
    }
    Ok((slot, metadata))
}

/// The number of the data segment's digest, once it has recognised the volume key: a wrong key must never be sealed.
fn recognise(metadata: &Metadata, volume_key: &VolumeKey) -> Result<u32, VolumeError> {
    for &slot in metadata.keyslots.keys() {
        let Ok(digest) = digest(slot, metadata) else { continue };
        if digest.verify(volume_key.expose_secret()).map_err(in_keyslot(slot))? {
            let of_data = metadata.digests_of(slot).find(|(_, digest)| digest.segments.contains(&0));
            return of_data.map(|(id, _)| id).ok_or(VolumeError::WrongVolumeKey);
        }
    }
    Err(VolumeError::WrongVolumeKey)
}
