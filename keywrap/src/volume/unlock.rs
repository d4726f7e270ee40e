//! From a master key or a passphrase to the volume key.

use uuid::Uuid;

use super::error::{KeyslotProblem, VolumeError};
use super::recipe::{digest, in_keyslot, recipe};
use super::seal::context;
use crate::derive;
use crate::geometry::DataSegment;
use crate::keys::{KeyId, KeyslotKey, MasterKey, VolumeKey};
use crate::luks2::header::CheckedHeader;
use crate::luks2::json::SegmentSize;
use crate::luks2::mac::{self, BadMac};
use crate::luks2::store::Store;
use crate::luks2::supported::data_segment;
use crate::luks2::token::SearToken;
use crate::medium::Medium;
use crate::secret::SecretBytes;

/// A volume with its key: all that the data path needs.
pub struct Opened {
    /// The volume's UUID.
    pub uuid: Uuid,
    /// Where the ciphertext lies.
    pub segment: DataSegment,
    /// The segment reaches to the end of its device, however long that is (LUKS2 segment size `dynamic`).
    pub follows_device: bool,
    /// The data encryption key.
    pub volume_key: VolumeKey,
    /// Whether discards may pass to the device below.
    pub allow_discards: bool,
    /// The keyslot that gave the key.
    pub keyslot: u32,
}

/// Unlocks with a master key. `data_len` is the length in bytes of the device that holds the data.
///
/// The token's MAC is verified before anything else that the header says is used.
///
/// # Errors
/// [`VolumeError::NoSuchMasterKey`], [`VolumeError::WrongMasterKey`], [`VolumeError::Tampered`] naming the fields,
/// [`VolumeError::KeyslotDamaged`], and those of reading the header.
pub fn unlock_with_master(
    header: &dyn Medium,
    data_len: u64,
    key_id: KeyId,
    master: &MasterKey,
) -> Result<Opened, VolumeError> {
    let store = Store::open(header)?;
    let token = verified_token(store.header(), key_id, master)?;
    let segment = data_segment(&store.header().metadata, data_len)?;
    let passphrase = derive::keyslot_key(master, context(&token, store.header().uuid.as_str()));
    let key = try_keyslot(&store, token.keyslot, passphrase.0.expose_secret())?;
    let key = key.ok_or(VolumeError::KeyslotDamaged(token.keyslot))?;
    Ok(opened(&store, segment, key, token.keyslot))
}

/// Unlocks with a passphrase: PBKDF2, Argon2i and Argon2id keyslots, whoever made them, those of high priority first
/// (LUKS2 spec, keyslot `priority`); a keyslot of priority 0 is not tried.
///
/// No MAC is verified: its key comes from a master key only. The digest still tells that the volume key is right.
///
/// # Errors
/// [`VolumeError::WrongPassphrase`], with the keyslots that could not be tried; [`VolumeError::NothingToTry`] when that
/// was all of them; and those of reading the header.
pub fn unlock_with_passphrase(
    header: &dyn Medium,
    data_len: u64,
    passphrase: &SecretBytes,
) -> Result<Opened, VolumeError> {
    let store = Store::open(header)?;
    let segment = data_segment(&store.header().metadata, data_len)?;
    let (mut tried, mut skipped) = (0, Vec::new());
    for id in by_priority(store.header()) {
        match try_keyslot(&store, id, passphrase.expose_secret()) {
            Ok(Some(key)) => return Ok(opened(&store, segment, key, id)),
            Ok(None) => tried += 1,
            Err(VolumeError::Keyslot(problem)) => skipped.push(problem),
            Err(other) => return Err(other),
        }
    }
    Err(if tried == 0 { VolumeError::NothingToTry(skipped) } else { VolumeError::WrongPassphrase { tried, skipped } })
}

/// The key that takes a passphrase's place in the keyslot of `key_id`: written to a file, `cryptsetup open
/// --key-file` opens the volume with it.
///
/// # Errors
/// Those of [`unlock_with_master`] up to the MAC.
pub fn keyslot_key(header: &dyn Medium, key_id: KeyId, master: &MasterKey) -> Result<KeyslotKey, VolumeError> {
    let store = Store::open(header)?;
    let token = verified_token(store.header(), key_id, master)?;
    Ok(derive::keyslot_key(master, context(&token, store.header().uuid.as_str())))
}

/// The token of `key_id`, its MAC verified.
pub(super) fn verified_token(
    header: &CheckedHeader,
    key_id: KeyId,
    master: &MasterKey,
) -> Result<SearToken, VolumeError> {
    let token = find_token(header, key_id)?;
    let mac_key = derive::mac_key(master, context(&token, header.uuid.as_str()));
    match mac::verify(&mac_key, &header.uuid, &header.metadata, &token) {
        Ok(()) => Ok(token),
        // This field is a constant, so only another MAC key makes it disagree.
        Err(BadMac::Fields(fields)) if fields.contains(&mac::CONSTANT_FIELD) => {
            Err(VolumeError::WrongMasterKey(key_id))
        }
        Err(bad) => Err(bad.into()),
    }
}

/// The token of `key_id`. A token that cannot be read is an error only where it might have been the one.
fn find_token(header: &CheckedHeader, key_id: KeyId) -> Result<SearToken, VolumeError> {
    let (mut present, mut unreadable) = (Vec::new(), None);
    for (_, token) in SearToken::all(&header.metadata) {
        match token {
            Ok(token) if token.key_id == key_id => return Ok(token),
            Ok(token) => present.push(token.key_id),
            Err(bad) => unreadable = unreadable.or(Some(bad)),
        }
    }
    Err(unreadable.map_or(VolumeError::NoSuchMasterKey { wanted: key_id, present }, VolumeError::BadToken))
}

/// The volume key out of keyslot `id`, or `None` if the passphrase is not its.
pub(super) fn try_keyslot(store: &Store<'_>, id: u32, passphrase: &[u8]) -> Result<Option<VolumeKey>, VolumeError> {
    let metadata = &store.header().metadata;
    let slot = metadata.keyslots.get(&id).ok_or(VolumeError::NoSuchKeyslot(id))?;
    let (recipe, digest) = (recipe(id, slot)?, digest(id, metadata)?);
    recipe.kdf.check().map_err(in_keyslot(id))?;
    let area = store.read_area(&slot.area)?;
    let candidate = recipe.open(passphrase, &area).map_err(in_keyslot(id))?;
    if !digest.verify(candidate.expose_secret()).map_err(in_keyslot(id))? {
        return Ok(None);
    }
    let key = VolumeKey::new(candidate).map_err(|bad| KeyslotProblem::Key(id, bad))?;
    Ok(Some(key))
}

fn opened(store: &Store<'_>, segment: DataSegment, volume_key: VolumeKey, keyslot: u32) -> Opened {
    let header = store.header();
    let allow_discards = header.metadata.config.allow_discards();
    let follows_device = header.metadata.segments.values().any(|segment| matches!(segment.size, SegmentSize::Dynamic));
    Opened { uuid: header.uuid.uuid(), segment, follows_device, volume_key, allow_discards, keyslot }
}

/// Keyslots in the order of trying: priority 2, then 1 or none, each by number.
fn by_priority(header: &CheckedHeader) -> Vec<u32> {
    let slots = header.metadata.keyslots.iter().map(|(&id, slot)| (id, slot.priority.unwrap_or(1)));
    let mut slots: Vec<_> = slots.filter(|&(_, priority)| priority > 0).collect();
    slots.sort_by_key(|&(id, priority)| (std::cmp::Reverse(priority), id));
    slots.into_iter().map(|(id, _)| id).collect()
}
