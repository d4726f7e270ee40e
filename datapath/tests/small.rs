//! A few small cases of every engine: what an interpreter (Miri, in `.ci/sanitize`) gets through. Everything else is in
//! `engines`.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use datapath::cipher::dispatch::Engine;
use datapath::cipher::xts::Reference;
use datapath::cipher::{Cipher, Direction};
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;

fn key(len: u8) -> VolumeKey {
    VolumeKey::new(SecretBytes::copy_from(&(0..len).collect::<Vec<u8>>())).unwrap()
}

fn plain(len: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(len).collect()
}

#[test]
fn three_units_across_the_end_of_the_tweak_in_place_and_to_another_place() {
    for (key, engine) in Engine::available().flat_map(|engine| [(key(32), engine), (key(64), engine)]) {
        let (plain, cipher) = (plain(3 * 512), Cipher::new(&key, engine));
        let mut expected = plain.clone();
        for (unit, tweak) in expected.chunks_exact_mut(512).zip([u64::MAX - 1, u64::MAX, 0]) {
            Reference::new(&key).encrypt_unit(unit, tweak.into());
        }
        let (mut data, mut out) = (plain.clone(), vec![0; plain.len()]);
        cipher.encrypt(&mut data, SectorSize::B512, u64::MAX - 1);
        assert!(data == expected, "{engine}");
        cipher.encrypt_to(&plain, &mut out, SectorSize::B512, u64::MAX - 1);
        assert!(out == expected, "{engine}");
        cipher.decrypt(&mut data, SectorSize::B512, u64::MAX - 1);
        assert!(data == plain, "{engine}");
    }
}

#[test]
fn single_data_units_with_and_without_stealing() {
    for (engine, len) in Engine::available().flat_map(|engine| [16, 17, 31, 32, 47, 100].map(|len| (engine, len))) {
        let (mut expected, mut data) = (plain(len), plain(len));
        Reference::new(&key(64)).encrypt_unit(&mut expected, 1 << 70);
        let cipher = Cipher::new(&key(64), engine);
        cipher.unit(Direction::Encrypt, &mut data, 1 << 70).unwrap();
        assert!(data == expected, "{engine}");
        cipher.unit(Direction::Decrypt, &mut data, 1 << 70).unwrap();
        assert!(data == plain(len), "{engine}");
    }
}
