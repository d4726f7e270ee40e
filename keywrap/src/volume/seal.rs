//! Making a new keyslot: the JSON object, and the ciphertext for its area.

use super::error::VolumeError;
use super::recipe::{in_keyslot, recipe};
use crate::derive::{Context, SALT_LEN};
use crate::keys::VolumeKey;
use crate::luks2::af::STRIPES;
use crate::luks2::area::area_size;
use crate::luks2::json::{Af, Area, Kdf, KdfKind, Keyslot, KeyslotKind, Luks2Keyslot, Object};
use crate::luks2::supported::CIPHER;
use crate::luks2::token::SearToken;

/// PBKDF2 iterations of keyslots whose passphrase is a derived key, and of digests. The least that cryptsetup takes:
/// the input has 256 bits of entropy, so stretching adds nothing.
pub(super) const FEW_ITERATIONS: u32 = 1000;

/// The hash in everything that Sear writes.
pub(super) const HASH: &str = "sha256";

/// Length of an area's key in bytes: AES-256-XTS.
const AREA_KEY: u32 = 64;

/// A keyslot that is ready to be written.
pub(super) struct Sealed {
    pub(super) keyslot: Keyslot,
    pub(super) bytes: Vec<u8>,
}

/// The cost of a keyslot whose passphrase is a derived key.
pub(super) fn derived_key_cost() -> KdfKind {
    KdfKind::Pbkdf2 { hash: HASH.to_owned(), iterations: FEW_ITERATIONS }
}

/// Length in bytes of the area that a keyslot for `key` takes.
pub(super) fn area_len(key: &VolumeKey) -> u64 {
    area_size(key_size(key), STRIPES)
}

/// Seals `key` under `passphrase` for keyslot `id` with its area at `offset`.
pub(super) fn seal(
    id: u32,
    offset: u64,
    key: &VolumeKey,
    passphrase: &[u8],
    cost: KdfKind,
) -> Result<Sealed, VolumeError> {
    let kdf = Kdf { kind: cost, salt: random_salt()?.to_vec(), rest: Object::default() };
    let af = Af { stripes: STRIPES, hash: HASH.to_owned(), rest: Object::default() };
    let luks2 = Luks2Keyslot { kdf, af, encryption: CIPHER.to_owned(), area_key_size: AREA_KEY };
    let keyslot = Keyslot {
        key_size: key_size(key),
        priority: None,
        area: Area { kind: "raw".to_owned(), offset, size: area_len(key), rest: Object::default() },
        kind: KeyslotKind::Luks2(luks2),
        rest: Object::default(),
    };
    let bytes = recipe(id, &keyslot)?.seal(passphrase, key.expose_secret()).map_err(in_keyslot(id))?;
    Ok(Sealed { keyslot, bytes })
}

/// A fresh salt for HKDF, PBKDF2 or Argon2.
pub(super) fn random_salt() -> Result<[u8; SALT_LEN], VolumeError> {
    let mut salt = [0; SALT_LEN];
    getrandom::fill(&mut salt)?;
    Ok(salt)
}

/// What the keys of a token are derived with.
pub(super) fn context<'a>(token: &'a SearToken, uuid: &'a str) -> Context<'a> {
    Context { salt: &token.salt, uuid }
}

fn key_size(key: &VolumeKey) -> u32 {
    if key.len() == 32 { 32 } else { 64 }
}
