//! The reference model and every engine against published vectors, and against units that OpenSSL computed.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use datapath::cipher::Cipher;
use datapath::cipher::dispatch::EngineName;
use datapath::cipher::xts::Reference;
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;
use proptest::prelude::*;

const WYCHEPROOF: &str = include_str!("vectors/aes_xts_test.json");
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
    // CAVS 11.0, XTSGenAES256.rsp, [ENCRYPT], COUNT = 1, 4, 16: key, DataUnitSeqNumber, PT, CT.
    const CASES: [(&str, u128, &str, &str); 3] = [
        (
            "ef010ca1a3663e32534349bc0bae62232a1573348568fb9ef41768a7674f507a\
             727f98755397d0e0aa32f830338cc7a926c773f09e57b357cd156afbca46e1a0",
            187,
            "ed98e01770a853b49db9e6aaf88f0a41b9b56e91a5a2b11d40529254f5523e75",
            "ca20c55e8dc149687d2541de39c3df6300bb5a163c10ced3666b1357db8bd39d",
        ),
        (
            "1dd0d86d63eafbd1011e4a4493f508b4e515c47aae63d4dba1de1f07bdffe559\
             5f01f5a27bff8441104ec73b15473f7246db7d48218c11dc1c9bfc865f3d768f",
            10,
            "5d540dd2cc12f7e1b447f5c3605e0816c4c946166485e9b18db3e00e446c490e",
            "dfe1945125f8cc77df69379eb47112737a532ce5c249898b838aee6860b9bd03",
        ),
        (
            "f226da8f3117ab5152e0c52fe66a618a787c1e2592d77d32ab6c4879e792b2a4\
             ca1d3a376b87acdebb42cd2bac3b4a1ace4c0bc02a25e884f35e1090a6dc877e",
            232,
            "93c8ca1883b3a8a5a262bbf5827188c10bea7d4d838ad89278090651923aacbf",
            "0257e82ec595ccf8148e5d1ba290fce2a1540940da898903f15a8ec3047bc769",
        ),
    ];
    for (key, tweak, plain, ciphertext) in CASES {
        assert_reference(&unhex(key), tweak, &unhex(plain), &unhex(ciphertext));
    }
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
        for engine in EngineName::ALL {
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
        for engine in EngineName::ALL {
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
    Cipher::new(&key(&(0..64).collect::<Vec<u8>>()), EngineName::Portable).encrypt(&mut [0; 700], SectorSize::B512, 0);
}
