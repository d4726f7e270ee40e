//! Single data units of any length, where a partial block steals ciphertext from the one before.

use std::sync::LazyLock;

use datapath::cipher::dispatch::Engine;
use datapath::cipher::xts::Reference;
use datapath::cipher::{BadUnitLen, Cipher, Direction, UnitLen};
use rayon::prelude::*;

use super::arena::Arena;
use super::short;
use super::truth::{key, pattern};

/// A data unit in plaintext and ciphertext.
struct Unit {
    key: Vec<u8>,
    tweak: u128,
    plain: Vec<u8>,
    ciphertext: Vec<u8>,
}

const TWEAKS: [u128; 6] = [0, 1, u64::MAX as u128, 1 << 64, 0x0123_4567_89ab_cdef_0011_2233_4455_6677, u128::MAX];

static UNITS: LazyLock<Vec<Unit>> = LazyLock::new(|| {
    let cases: Vec<_> = [32, 64].into_iter().flat_map(|key| lengths().map(move |len| (key, len))).collect();
    cases.into_par_iter().map(|(key, len)| Unit::new(key, len)).collect()
});

/// All lengths to 600 bytes, all around one and two kibibytes, and some longer ones up to the longest.
fn lengths() -> impl Iterator<Item = usize> {
    let whole = (1000..1100).chain(2030..2090).chain(4080..4130);
    let odd = [8191, 65_537, 70_001, (1 << 20) + 15].into_iter().chain([UnitLen::MAX - 1, UnitLen::MAX]);
    (UnitLen::MIN..=600).chain(whole).chain(odd).filter(|&len| len < 1 << 20 || !short())
}

impl Unit {
    fn new(key_len: usize, len: usize) -> Self {
        let (key_bytes, plain) = (pattern(len as u64, key_len), pattern(key_len as u64, len));
        let mut unit = Self { key: key_bytes, tweak: TWEAKS[len % TWEAKS.len()], ciphertext: plain.clone(), plain };
        Reference::new(&key(&unit.key)).encrypt_unit(&mut unit.ciphertext, unit.tweak);
        unit
    }
}

/// Every length in both directions, at changing alignments.
pub(crate) fn every_length(engine: Engine) {
    let mut arena = Arena::new(UnitLen::MAX);
    for unit in UNITS.iter() {
        let cipher = Cipher::new(&key(&unit.key), engine);
        let (len, ways) = (unit.plain.len(), [Direction::Encrypt, Direction::Decrypt]);
        let texts = [&unit.plain, &unit.ciphertext];
        for (way, (given, expected)) in ways.into_iter().zip([(texts[0], texts[1]), (texts[1], texts[0])]) {
            assert_eq!(cipher.unit(way, arena.put(len % 64, given), unit.tweak), Ok(()));
            assert!(arena.buffer() == *expected, "{engine}: {way:?} of {len} bytes is wrong");
            assert!(arena.guards_are_intact(), "{engine}: {way:?} of {len} bytes wrote beside the unit");
        }
    }
}

/// Lengths that are too short or too long.
pub(crate) fn refused(engine: Engine) {
    let cipher = Cipher::new(&key(&pattern(1, 64)), engine);
    for len in [0, 1, UnitLen::MIN - 1, UnitLen::MAX + 1] {
        for direction in [Direction::Encrypt, Direction::Decrypt] {
            let mut data = vec![7; len];
            assert_eq!(cipher.unit(direction, &mut data, 0), Err(BadUnitLen(len)));
            assert!(data.iter().all(|&byte| byte == 7));
        }
    }
}
