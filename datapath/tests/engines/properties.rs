//! What holds for any key, any tweak and any run, on every engine.

use datapath::cipher::dispatch::Engine;
use datapath::cipher::xts::Reference;
use datapath::cipher::{Buffers, Cipher, Direction};
use keywrap::geometry::SectorSize;
use proptest::prelude::*;

use super::short;
use super::truth::{key, pattern, unit_len};

/// A run of data units under a key.
#[derive(Clone, Debug)]
struct Run {
    key: Vec<u8>,
    unit: SectorSize,
    tweak: u64,
    units: usize,
    seed: u64,
}

impl Run {
    fn plain(&self) -> Vec<u8> {
        pattern(self.seed, self.units * unit_len(self.unit))
    }

    fn cipher(&self, engine: Engine) -> Cipher {
        Cipher::new(&key(&self.key), engine)
    }

    /// The tweak of unit `n`.
    fn tweak(&self, n: usize) -> u64 {
        self.tweak.wrapping_add(n as u64 * self.unit.tweak_step())
    }

    fn expected(&self) -> Vec<u8> {
        let (reference, mut bytes) = (Reference::new(&key(&self.key)), self.plain());
        for (n, unit) in bytes.chunks_exact_mut(unit_len(self.unit)).enumerate() {
            reference.encrypt_unit(unit, self.tweak(n).into());
        }
        bytes
    }
}

fn any_key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(any::<u8>(), 32), prop::collection::vec(any::<u8>(), 64)]
}

fn any_tweak() -> impl Strategy<Value = u64> {
    let near = |edge: u64| (0..2000_u64).prop_map(move |before| edge.wrapping_sub(before));
    prop_oneof![any::<u64>(), near(0), near(1 << 32), 0..1_u64 << 40]
}

fn any_run(units: std::ops::Range<usize>) -> impl Strategy<Value = Run> {
    let unit = prop::sample::select(SectorSize::ALL.as_slice());
    (any_key(), unit, any_tweak(), units, any::<u64>()).prop_map(|(key, unit, tweak, units, seed)| Run {
        key,
        unit,
        tweak,
        units,
        seed,
    })
}

fn config() -> ProptestConfig {
    ProptestConfig::with_cases(if short() { 16 } else { 128 })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_engine_encrypts_any_run_as_the_reference_and_decrypts_it_again(run in any_run(0..130)) {
        let (plain, expected) = (run.plain(), run.expected());
        for engine in Engine::available() {
            let cipher = run.cipher(engine);
            let mut data = plain.clone();
            cipher.encrypt(&mut data, run.unit, run.tweak);
            prop_assert!(data == expected, "{engine} encrypts otherwise");
            cipher.decrypt(&mut data, run.unit, run.tweak);
            prop_assert!(data == plain, "{engine} does not get the plaintext back");
        }
    }

    #[test]
    fn a_run_in_two_calls_is_the_run_in_one(run in any_run(1..130), at in any::<prop::sample::Index>()) {
        let (plain, at) = (run.plain(), at.index(run.units + 1));
        for engine in Engine::available() {
            let cipher = run.cipher(engine);
            let (mut whole, mut parts) = (plain.clone(), vec![0; plain.len()]);
            cipher.encrypt(&mut whole, run.unit, run.tweak);
            let (from, to) = (plain.split_at(at * unit_len(run.unit)), parts.split_at_mut(at * unit_len(run.unit)));
            cipher.encrypt_to(from.0, to.0, run.unit, run.tweak);
            cipher.encrypt_to(from.1, to.1, run.unit, run.tweak(at));
            prop_assert!(parts == whole, "{engine} encrypts in two calls otherwise");
            cipher.decrypt_to(&whole[..at * unit_len(run.unit)], &mut parts[..at * unit_len(run.unit)], run.unit, run.tweak);
            cipher.decrypt(&mut parts[at * unit_len(run.unit)..], run.unit, run.tweak(at));
            prop_assert!(parts == plain, "{engine} decrypts in two calls otherwise");
        }
    }

    #[test]
    fn bulk_is_the_plain_call(run in any_run(1..1500), direction in prop::sample::select(&[Direction::Encrypt, Direction::Decrypt][..])) {
        for engine in Engine::available() {
            let cipher = run.cipher(engine);
            let (from, mut plain) = (run.plain(), run.plain());
            let mut bulk = vec![0; from.len()];
            match direction {
                Direction::Encrypt => cipher.encrypt(&mut plain, run.unit, run.tweak),
                Direction::Decrypt => cipher.decrypt(&mut plain, run.unit, run.tweak),
            }
            cipher.bulk(direction, Buffers::Copy { from: &from, to: &mut bulk }, run.unit, run.tweak);
            prop_assert!(bulk == plain, "{engine} computes something else in bulk");
        }
    }

    #[test]
    fn a_data_unit_of_any_length_is_as_the_reference_has_it(
        key_bytes in any_key(),
        tweak in any::<u128>(),
        len in 16_usize..6000,
    ) {
        let plain = pattern(len as u64, len);
        let mut expected = plain.clone();
        Reference::new(&key(&key_bytes)).encrypt_unit(&mut expected, tweak);
        for engine in Engine::available() {
            let cipher = Cipher::new(&key(&key_bytes), engine);
            let mut data = plain.clone();
            cipher.unit(Direction::Encrypt, &mut data, tweak).unwrap();
            prop_assert!(data == expected, "{engine} encrypts otherwise");
            cipher.unit(Direction::Decrypt, &mut data, tweak).unwrap();
            prop_assert!(data == plain, "{engine} does not get the plaintext back");
        }
    }
}
