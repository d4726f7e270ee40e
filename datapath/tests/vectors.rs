//! The reference model and every engine against published vectors, and against units that OpenSSL computed.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use datapath::cipher::dispatch::Engine;
use datapath::cipher::xts::Reference;
use datapath::cipher::{Cipher, Direction};
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;
use proptest::prelude::*;

const WYCHEPROOF: &str = include_str!("vectors/aes_xts_test.json");
const CAVP: &str = include_str!("vectors/xts_cavp.txt");
const OPENSSL: &str = include_str!("vectors/xts_units_openssl.txt");

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn key(bytes: &[u8]) -> VolumeKey {
    VolumeKey::new(SecretBytes::copy_from(bytes)).unwrap()
}

/// The reference model turns `plain` into `ciphertext` and back.
fn assert_reference(key_bytes: &[u8], tweak: u128, plain: &[u8], ciphertext: &[u8]) {
    let reference = Reference::new(&key(key_bytes));
    let mut unit = plain.to_vec();
    reference.encrypt_unit(&mut unit, tweak);
    assert_eq!(unit, ciphertext);
    reference.decrypt_unit(&mut unit, tweak);
    assert_eq!(unit, plain);
}

#[test]
fn the_reference_computes_the_wycheproof_vectors_of_whole_blocks() {
    let suite: serde_json::Value = serde_json::from_str(WYCHEPROOF).unwrap();
    let mut used = 0;
    for test in suite["testGroups"].as_array().unwrap().iter().flat_map(|group| group["tests"].as_array().unwrap()) {
        let field = |name: &str| unhex(test[name].as_str().unwrap());
        let (key, plain, mut tweak) = (field("key"), field("msg"), field("iv"));
        // AES-192 is not XTS-AES of IEEE 1619, and a sector is a whole number of blocks.
        if key.len() == 48 || !plain.len().is_multiple_of(16) {
            continue;
        }
        assert_eq!(test["result"], "valid");
        tweak.resize(16, 0);
        assert_reference(&key, u128::from_le_bytes(tweak.try_into().unwrap()), &plain, &field("ct"));
        used += 1;
    }
    assert_eq!(used, 42);
}

#[test]
fn the_reference_computes_nist_cavp_vectors() {
    let mut used = 0;
    for line in CAVP.lines().filter(|line| !line.starts_with('#')) {
        let [key, tweak, plain, ciphertext] = line.split(' ').map(unhex).collect::<Vec<_>>().try_into().unwrap();
        assert_reference(&key, u128::from_le_bytes(tweak.try_into().unwrap()), &plain, &ciphertext);
        used += 1;
    }
    assert_eq!(used, 120);
}

#[test]
fn reference_and_engines_compute_the_units_of_openssl() {
    let mut used = 0;
    for line in OPENSSL.lines().filter(|line| !line.starts_with('#')) {
        let [key_hex, tweak, ciphertext] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (key_bytes, tweak, ciphertext) =
            (unhex(key_hex), u64::from_str_radix(tweak, 16).unwrap(), unhex(ciphertext));
        let plain: Vec<u8> = (0..=u8::MAX).cycle().take(ciphertext.len()).collect();
        assert_reference(&key_bytes, tweak.into(), &plain, &ciphertext);
        let unit = SectorSize::try_from(u32::try_from(ciphertext.len()).unwrap()).unwrap();
        for engine in Engine::available() {
            let cipher = Cipher::new(&key(&key_bytes), engine);
            let mut data = vec![0; plain.len()];
            cipher.encrypt_to(&plain, &mut data, unit, tweak);
            assert_eq!(data, ciphertext, "{engine}");
            cipher.decrypt_to(&ciphertext, &mut data, unit, tweak);
            assert_eq!(data, plain, "{engine}");
        }
        used += 1;
    }
    assert_eq!(used, 20);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_engine_agrees_with_the_reference_on_any_run_of_units(
        key_bytes in prop_oneof![prop::collection::vec(any::<u8>(), 32), prop::collection::vec(any::<u8>(), 64)],
        unit in prop::sample::select(SectorSize::ALL.as_slice()),
        units in 0usize..40,
        first_tweak in prop_oneof![any::<u64>(), Just(u64::MAX), Just(0)],
        seed in any::<u8>(),
    ) {
        let (key, len) = (key(&key_bytes), 1usize << unit.shift());
        let plain: Vec<u8> = (0..=u8::MAX).cycle().map(|byte| byte ^ seed).take(units * len).collect();
        let mut expected = plain.clone();
        for (n, bytes) in expected.chunks_mut(len).enumerate() {
            let tweak = first_tweak.wrapping_add(n as u64 * unit.tweak_step());
            Reference::new(&key).encrypt_unit(bytes, tweak.into());
        }
        for engine in Engine::available() {
            let cipher = Cipher::new(&key, engine);
            let mut data = plain.clone();
            cipher.encrypt(&mut data, unit, first_tweak);
            prop_assert!(data == expected, "{engine} encrypts otherwise");
            cipher.decrypt(&mut data, unit, first_tweak);
            prop_assert!(data == plain, "{engine} decrypts otherwise");
        }
    }
}

#[test]
#[should_panic(expected = "not whole data units")]
fn a_run_with_a_partial_unit_is_never_encrypted() {
    Cipher::new(&key(&(0..64).collect::<Vec<u8>>()), Engine::portable()).encrypt(&mut [0; 700], SectorSize::B512, 0);
}

#[test]
fn a_partial_block_steals_from_the_block_before_in_every_engine() {
    let key = key(&(0..64).collect::<Vec<u8>>());
    for len in (16..200).chain([4095, 4097, 70_001]) {
        let plain: Vec<u8> = (0..=u8::MAX).cycle().take(len).collect();
        let mut expected = plain.clone();
        Reference::new(&key).encrypt_unit(&mut expected, 1 << 70);
        for engine in Engine::available() {
            let mut data = plain.clone();
            Cipher::new(&key, engine).unit(Direction::Encrypt, &mut data, 1 << 70).unwrap();
            assert!(data == expected, "{engine} encrypts {len} bytes otherwise");
            Cipher::new(&key, engine).unit(Direction::Decrypt, &mut data, 1 << 70).unwrap();
            assert!(data == plain, "{engine} decrypts {len} bytes otherwise");
        }
    }
}
