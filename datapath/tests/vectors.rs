//! The reference model and every engine against published vectors, and against units that OpenSSL computed. Any key and
//! any run is tried in `engines`.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use datapath::cipher::dispatch::Engine;
use datapath::cipher::xts::Reference;
use datapath::cipher::{Cipher, Direction};
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;

const WYCHEPROOF: &str = include_str!("vectors/aes_xts_test.json");
const IEEE: &str = include_str!("vectors/xts_ieee1619.txt");
const CAVP: &str = include_str!("vectors/xts_cavp.txt");
const OPENSSL: &str = include_str!("vectors/xts_units_openssl.txt");

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn key(bytes: &[u8]) -> VolumeKey {
    VolumeKey::new(SecretBytes::copy_from(bytes)).unwrap()
}

/// The reference model and every engine turn `plain` into `ciphertext` and back.
fn assert_all(key_bytes: &[u8], tweak: u128, plain: &[u8], ciphertext: &[u8]) {
    let reference = Reference::new(&key(key_bytes));
    let mut unit = plain.to_vec();
    reference.encrypt_unit(&mut unit, tweak);
    assert_eq!(unit, ciphertext);
    reference.decrypt_unit(&mut unit, tweak);
    assert_eq!(unit, plain);
    for engine in Engine::available() {
        let cipher = Cipher::new(&key(key_bytes), engine);
        cipher.unit(Direction::Encrypt, &mut unit, tweak).unwrap();
        assert_eq!(unit, ciphertext, "{engine}");
        cipher.unit(Direction::Decrypt, &mut unit, tweak).unwrap();
        assert_eq!(unit, plain, "{engine}");
        assert_run(&cipher, tweak, plain, ciphertext);
    }
}

/// The same as a run of one, where the data unit is a sector and its number has 64 bits.
fn assert_run(cipher: &Cipher, tweak: u128, plain: &[u8], ciphertext: &[u8]) {
    let unit = SectorSize::try_from(u32::try_from(plain.len()).unwrap());
    if let (Ok(unit), Ok(tweak)) = (unit, tweak.try_into()) {
        let mut data = vec![0; plain.len()];
        cipher.encrypt_to(plain, &mut data, unit, tweak);
        assert_eq!(data, ciphertext);
        cipher.decrypt_to(ciphertext, &mut data, unit, tweak);
        assert_eq!(data, plain);
    }
}

/// The lines of a file of vectors: key, data unit number, plaintext, ciphertext.
fn lines(file: &str) -> impl Iterator<Item = [Vec<u8>; 4]> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split(' ').map(unhex).collect::<Vec<_>>().try_into().unwrap())
}

fn number(bytes: &[u8]) -> u128 {
    u128::from_le_bytes(bytes.try_into().unwrap())
}

#[test]
fn every_engine_computes_the_vectors_of_ieee_1619() {
    let vectors: Vec<_> = lines(IEEE).collect();
    let (first, rest) = vectors.split_first().unwrap();
    // Vector 1 has K1 = K2, which FIPS 140 forbids, so no volume has such a key.
    assert!(VolumeKey::new(SecretBytes::copy_from(&first[0])).is_err());
    for [key, tweak, plain, ciphertext] in rest {
        assert_all(key, number(tweak), plain, ciphertext);
    }
    assert_eq!(rest.len(), 18);
    assert_eq!(rest.iter().filter(|[_, _, plain, _]| !plain.len().is_multiple_of(16)).count(), 4);
}

#[test]
fn every_engine_computes_the_wycheproof_vectors() {
    let suite: serde_json::Value = serde_json::from_str(WYCHEPROOF).unwrap();
    let (mut used, mut partial) = (0, 0);
    for test in suite["testGroups"].as_array().unwrap().iter().flat_map(|group| group["tests"].as_array().unwrap()) {
        let field = |name: &str| unhex(test[name].as_str().unwrap());
        let (key, plain, mut tweak) = (field("key"), field("msg"), field("iv"));
        assert_eq!(test["result"], "valid");
        // AES-192 is not XTS-AES of IEEE 1619.
        if key.len() == 48 {
            continue;
        }
        tweak.resize(16, 0);
        assert_all(&key, number(&tweak), &plain, &field("ct"));
        used += 1;
        partial += usize::from(!plain.len().is_multiple_of(16));
    }
    assert_eq!((used, partial), (82, 40));
}

#[test]
fn every_engine_computes_nist_cavp_vectors() {
    let mut used = 0;
    for [key, tweak, plain, ciphertext] in lines(CAVP) {
        assert_all(&key, number(&tweak), &plain, &ciphertext);
        used += 1;
    }
    assert_eq!(used, 120);
}

#[test]
fn every_engine_computes_the_units_of_openssl() {
    let mut used = 0;
    for line in OPENSSL.lines().filter(|line| !line.starts_with('#')) {
        let [key, tweak, ciphertext] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let (tweak, ciphertext) = (u64::from_str_radix(tweak, 16).unwrap(), unhex(ciphertext));
        let plain: Vec<u8> = (0..=u8::MAX).cycle().take(ciphertext.len()).collect();
        assert_all(&unhex(key), tweak.into(), &plain, &ciphertext);
        used += 1;
    }
    assert_eq!(used, 20);
}

#[test]
#[should_panic(expected = "not whole data units")]
fn a_run_with_a_partial_unit_is_never_encrypted() {
    Cipher::new(&key(&(0..64).collect::<Vec<u8>>()), Engine::portable()).encrypt(&mut [0; 700], SectorSize::B512, 0);
}
