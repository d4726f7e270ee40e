//! The power-on self-test: the reference model reproduces published ciphertext, and the engine in use agrees with the
//! model at every unit size, key size and kind of tweak.

use std::sync::{Mutex, PoisonError};

use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;

use super::dispatch::{Engine, EngineName};
use super::xts::Reference;
use super::{Cipher, Direction, unit_len, units};

/// An engine computed something else than XTS-AES. Nothing it writes could be read by anyone else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cipher engine {engine} failed its self-test ({case}); do not use this build on this machine")]
pub struct SelfTestFailed {
    /// The engine.
    pub engine: EngineName,
    /// What it got wrong.
    pub case: String,
}

/// K1 ‖ K2 of IEEE Std 1619-2018, Annex B, vectors 10 to 14 (XTS-AES-256): the digits of e and π. The first half of
/// each key makes vectors 4 to 9 (XTS-AES-128).
const DIGITS_OF_E: [u8; 32] = [
    0x27, 0x18, 0x28, 0x18, 0x28, 0x45, 0x90, 0x45, 0x23, 0x53, 0x60, 0x28, 0x74, 0x71, 0x35, 0x26, 0x62, 0x49, 0x77,
    0x57, 0x24, 0x70, 0x93, 0x69, 0x99, 0x59, 0x57, 0x49, 0x66, 0x96, 0x76, 0x27,
];
const DIGITS_OF_PI: [u8; 32] = [
    0x31, 0x41, 0x59, 0x26, 0x53, 0x58, 0x97, 0x93, 0x23, 0x84, 0x62, 0x64, 0x33, 0x83, 0x27, 0x95, 0x02, 0x88, 0x41,
    0x97, 0x16, 0x93, 0x99, 0x37, 0x51, 0x05, 0x82, 0x09, 0x74, 0x94, 0x45, 0x92,
];

/// A published data unit of 512 bytes, plaintext 00 01 … ff twice: its number and its first and last block. The last
/// one depends on every doubling of the tweak in between.
struct Published {
    key_half: usize,
    tweak: u64,
    first: [u8; 16],
    last: [u8; 16],
}

const PUBLISHED: [Published; 2] = [
    // IEEE Std 1619-2018, Annex B, vector 4 (XTS-AES-128, data unit 0).
    Published {
        key_half: 16,
        tweak: 0,
        first: [0x27, 0xa7, 0x47, 0x9b, 0xef, 0xa1, 0xd4, 0x76, 0x48, 0x9f, 0x30, 0x8c, 0xd4, 0xcf, 0xa6, 0xe2],
        last: [0x0a, 0x28, 0x2d, 0xf9, 0x20, 0x14, 0x7b, 0xea, 0xbe, 0x42, 0x1e, 0xe5, 0x31, 0x9d, 0x05, 0x68],
    },
    // IEEE Std 1619-2018, Annex B, vector 10 (XTS-AES-256, data unit 0xff).
    Published {
        key_half: 32,
        tweak: 0xff,
        first: [0x1c, 0x3b, 0x3a, 0x10, 0x2f, 0x77, 0x03, 0x86, 0xe4, 0x83, 0x6c, 0x99, 0xe3, 0x70, 0xcf, 0x9b],
        last: [0xc4, 0xf3, 0x6f, 0xfd, 0xa9, 0xfc, 0xea, 0x70, 0xb9, 0xc6, 0xe6, 0x93, 0xe1, 0x48, 0xc1, 0x51],
    },
];

/// Runs the self-test of one engine: about a millisecond and a half, nearly all of it the model's time.
///
/// # Errors
/// When the engine, or the model itself, computed a wrong byte.
pub fn run(engine: Engine) -> Result<(), SelfTestFailed> {
    for published in &PUBLISHED {
        let fail = |case: String| SelfTestFailed { engine: engine.name(), case };
        let key = key(published.key_half).ok_or_else(|| fail("its key was refused".into()))?;
        let reference = Reference::new(&key);
        check_published(&reference, published).map_err(fail)?;
        check_engine(&Cipher::new(&key, engine), &reference).map_err(fail)?;
    }
    Ok(())
}

/// [`run`] once in the life of the process for each engine, before it touches the first sector. One that has failed is tried
/// again.
///
/// # Errors
/// Those of [`run`].
pub fn run_once(engine: Engine) -> Result<(), SelfTestFailed> {
    static PASSED: Mutex<Vec<EngineName>> = Mutex::new(Vec::new());
    // A thread that panicked here has added nothing.
    let mut passed = PASSED.lock().unwrap_or_else(PoisonError::into_inner);
    if !passed.contains(&engine.name()) {
        run(engine)?;
        tracing::info!(%engine, "cipher engine passed its self-test");
        passed.push(engine.name());
    }
    Ok(())
}

fn key(half: usize) -> Option<VolumeKey> {
    let bytes = [&DIGITS_OF_E[..half], &DIGITS_OF_PI[..half]].concat();
    VolumeKey::new(SecretBytes::copy_from(&bytes)).ok()
}

fn check_published(reference: &Reference, published: &Published) -> Result<(), String> {
    let mut unit = plaintext(512);
    reference.encrypt_unit(&mut unit, u128::from(published.tweak));
    if unit[..16] != published.first || unit[496..] != published.last {
        return Err(format!("the model disagrees with IEEE 1619 at a key of {} bytes", 2 * published.key_half));
    }
    Ok(())
}

/// Bytes of a run: for every engine more data units of 512 bytes than it prepares at once.
const RUN: usize = 20 << 10;

/// An odd number of units of every size, across a wrap of the tweak and across 2^32, in place and from one buffer to
/// another; and one unit that ends in a partial block.
fn check_engine(cipher: &Cipher, reference: &Reference) -> Result<(), String> {
    for unit in SectorSize::ALL {
        for first_tweak in [0, 0xff, u64::from(u32::MAX) - 3, u64::MAX - 3] {
            let plain = plaintext(((RUN >> unit.shift()) | 1) * unit_len(unit));
            let (mut expected, mut actual) = (plain.clone(), vec![0; plain.len()]);
            for (bytes, tweak) in units(&mut expected, unit, first_tweak) {
                reference.encrypt_unit(bytes, u128::from(tweak));
            }
            cipher.encrypt_to(&plain, &mut actual, unit, first_tweak);
            if actual != expected {
                return Err(format!("encryption of {}-byte units from tweak {first_tweak:#x}", unit.bytes()));
            }
            cipher.decrypt(&mut actual, unit, first_tweak);
            if actual != plain {
                return Err(format!("decryption of {}-byte units from tweak {first_tweak:#x}", unit.bytes()));
            }
        }
    }
    check_stealing(cipher, reference)
}

fn check_stealing(cipher: &Cipher, reference: &Reference) -> Result<(), String> {
    let plain = plaintext(2 * 1024 + 16 + 9);
    let (mut expected, mut actual) = (plain.clone(), plain.clone());
    reference.encrypt_unit(&mut expected, 1 << 64);
    let outcome = cipher.unit(Direction::Encrypt, &mut actual, 1 << 64);
    if outcome.is_err() || actual != expected {
        return Err("encryption of a unit with a partial block".into());
    }
    let outcome = cipher.unit(Direction::Decrypt, &mut actual, 1 << 64);
    if outcome.is_err() || actual != plain {
        return Err("decryption of a unit with a partial block".into());
    }
    Ok(())
}

fn plaintext(len: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_passes() {
        for engine in Engine::available() {
            assert_eq!(run(engine), Ok(()));
        }
    }

    #[test]
    fn a_wrong_published_block_is_noticed() {
        let reference = Reference::new(&key(32).unwrap());
        let wrong = Published { key_half: 32, tweak: 0xff, first: [0; 16], last: PUBLISHED[1].last };
        assert!(check_published(&reference, &wrong).is_err());
    }

    #[test]
    fn an_engine_under_another_key_is_noticed() {
        let cipher = Cipher::new(&key(16).unwrap(), Engine::portable());
        assert!(check_engine(&cipher, &Reference::new(&key(32).unwrap())).is_err());
    }
}
