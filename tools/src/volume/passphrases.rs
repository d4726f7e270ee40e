//! Passphrases beside the keyslots of master keys.

use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;
use keywrap::volume::{self, Inspection, KdfChoice};

use super::places::Places;
use crate::error::Error;

/// PBKDF2-SHA-256 iterations: about a second on a server core, as OWASP's minimum of 600 000 several times over.
const PBKDF2_ITERATIONS: u32 = 2_000_000;

/// How a passphrase is stretched: by Argon2id, or by PBKDF2 for machines with little memory.
pub(crate) fn stretch(pbkdf2: bool) -> KdfChoice {
    if pbkdf2 { KdfChoice::Pbkdf2 { iterations: PBKDF2_ITERATIONS } } else { KdfChoice::default() }
}

/// Adds a passphrase; with `replaces`, removes the others once it is durable. The keyslot that it opens, and those that
/// were removed.
///
/// # Errors
/// What keywrap says of the header.
pub(crate) fn change_passphrases(
    places: &Places,
    volume_key: &VolumeKey,
    passphrase: &SecretBytes,
    kdf: KdfChoice,
    replaces: bool,
) -> Result<(u32, Vec<u32>), Error> {
    let failed = || Error::volume(places.header_path());
    let others = passphrase_keyslots(&volume::inspect(places.header()).map_err(failed())?);
    let keyslot = volume::add_passphrase(places.header(), volume_key, passphrase, kdf).map_err(failed())?;
    let removed = if replaces { others } else { Vec::new() };
    for slot in &removed {
        volume::remove_keyslot(places.header(), *slot).map_err(failed())?;
    }
    Ok((keyslot, removed))
}

/// The keyslots that a person's passphrase opens: those that no token names.
fn passphrase_keyslots(seen: &Inspection) -> Vec<u32> {
    let named = |id: u32| seen.tokens.iter().any(|token| token.keyslots.contains(&id));
    seen.keyslots.iter().filter(|slot| slot.kind == "luks2" && !named(slot.id)).map(|slot| slot.id).collect()
}
