//! From the header's objects, which name algorithms in text, to the cryptography of [`crate::luks2::keyslot`].

use super::error::KeyslotProblem;
use crate::luks2::af::Af;
use crate::luks2::digest::Digest;
use crate::luks2::hash::Hash;
use crate::luks2::json::{DigestKind, KdfKind, Keyslot, KeyslotKind, Luks2Keyslot, Metadata};
use crate::luks2::kdf::{Argon2Variant, Cost, Kdf};
use crate::luks2::keyslot::{KeyslotError, Recipe};
use crate::luks2::supported::CIPHER;

/// The one segment of a supported volume.
const SEGMENT: u32 = 0;

/// How keyslot `id` is opened and sealed.
pub(super) fn recipe(id: u32, slot: &Keyslot) -> Result<Recipe, KeyslotProblem> {
    let luks2 = match &slot.kind {
        KeyslotKind::Luks2(luks2) => luks2,
        KeyslotKind::Other(kind) => return Err(KeyslotProblem::Type(id, kind.clone())),
    };
    if luks2.encryption != CIPHER {
        return Err(KeyslotProblem::Cipher(id, luks2.encryption.clone()));
    }
    Ok(Recipe {
        kdf: Kdf { cost: cost(id, luks2)?, salt: luks2.kdf.salt.clone() },
        af: Af { hash: hash(id, &luks2.af.hash)?, stripes: luks2.af.stripes },
        area_key_len: length(luks2.area_key_size),
        key_len: length(slot.key_size),
    })
}

/// The digest that recognises the volume key in keyslot `id`.
pub(super) fn digest(id: u32, metadata: &Metadata) -> Result<Digest, KeyslotProblem> {
    let digests = metadata.digests_of(id).map(|(_, digest)| digest);
    let of_data = digests.filter(|digest| digest.segments.contains(&SEGMENT));
    for digest in of_data {
        if let DigestKind::Pbkdf2(pbkdf2) = &digest.kind {
            let (salt, digest) = (pbkdf2.salt.clone(), pbkdf2.digest.clone());
            return Ok(Digest { hash: hash(id, &pbkdf2.hash)?, iterations: pbkdf2.iterations, salt, digest });
        }
    }
    Err(KeyslotProblem::NoDigest(id))
}

/// Whether keyslot `id` could open the volume, given its key.
pub(super) fn is_usable(id: u32, slot: &Keyslot, metadata: &Metadata) -> bool {
    let in_limits = |recipe: Recipe| recipe.kdf.check().is_ok();
    recipe(id, slot).is_ok_and(in_limits) && digest(id, metadata).is_ok()
}

/// Names the keyslot in an error of its cryptography.
pub(super) fn in_keyslot<E: Into<KeyslotError>>(id: u32) -> impl FnOnce(E) -> KeyslotProblem {
    move |error| KeyslotProblem::Crypto(id, error.into())
}

fn cost(id: u32, slot: &Luks2Keyslot) -> Result<Cost, KeyslotProblem> {
    Ok(match &slot.kdf.kind {
        KdfKind::Pbkdf2 { hash: name, iterations } => Cost::Pbkdf2 { hash: hash(id, name)?, iterations: *iterations },
        &KdfKind::Argon2i { time, memory, cpus } => {
            Cost::Argon2 { variant: Argon2Variant::I, time, memory_kib: memory, cpus }
        }
        &KdfKind::Argon2id { time, memory, cpus } => {
            Cost::Argon2 { variant: Argon2Variant::Id, time, memory_kib: memory, cpus }
        }
    })
}

fn hash(id: u32, name: &str) -> Result<Hash, KeyslotProblem> {
    Hash::from_name(name).ok_or_else(|| KeyslotProblem::Hash(id, name.to_owned()))
}

/// A 32-bit length of the header; one that does not fit `usize` is as illegal as the largest `usize`.
fn length(len: u32) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
