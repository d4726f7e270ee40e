//! What the reference computed: it is slow, so once for each class of cases.

use std::sync::LazyLock;

use datapath::cipher::xts::Reference;
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;
use rayon::prelude::*;

/// Units around an edge of the tweak.
pub(crate) const AROUND: usize = 72;
/// Bytes of the longest run: beyond the 8 MiB from which engines may write past the caches.
pub(crate) const LONGEST: usize = (8 << 20) + 16 * 4096;

/// A run of data units in plaintext and in ciphertext. Each part of it is a run of its own.
pub(crate) struct Truth {
    pub(crate) unit: SectorSize,
    pub(crate) first_tweak: u64,
    pub(crate) plain: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
}

/// A key size, a unit size, and runs under one key.
pub(crate) struct Class {
    key: Vec<u8>,
    pub(crate) unit: SectorSize,
    /// [`AROUND`] units at each edge of the tweak.
    pub(crate) edges: Vec<Truth>,
    /// [`LONGEST`] bytes from a large sector number on.
    pub(crate) long: Truth,
}

/// Every key size with every unit size.
pub(crate) static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let classes = [32, 64].into_iter().flat_map(|len| SectorSize::ALL.map(|unit| (len, unit)));
    classes.collect::<Vec<_>>().into_par_iter().map(|(len, unit)| Class::new(len, unit)).collect()
});

impl Class {
    fn new(key_len: usize, unit: SectorSize) -> Self {
        let bytes = pattern(key_len as u64, key_len);
        let reference = Reference::new(&key(&bytes));
        let edges = edges(unit).map(|tweak| Truth::new(&reference, unit, tweak, AROUND)).collect();
        let long = Truth::new(&reference, unit, 0x0123_4567_89ab_cdef, LONGEST / unit_len(unit));
        Self { key: bytes, unit, edges, long }
    }

    pub(crate) fn key(&self) -> VolumeKey {
        key(&self.key)
    }
}

/// First tweaks such that a run passes an edge in its middle: 2^32, 2^63, 2^64 (on and off the step), and some that
/// begin at one: 0 and a large sector number.
fn edges(unit: SectorSize) -> impl Iterator<Item = u64> {
    let half = AROUND as u64 / 2 * unit.tweak_step();
    let middles = [0, 1 << 32, 3, (1 << 63) + 1];
    [0].into_iter().chain(middles.map(|edge: u64| edge.wrapping_sub(half))).chain([(1 << 47) - 5])
}

impl Truth {
    fn new(reference: &Reference, unit: SectorSize, first_tweak: u64, units: usize) -> Self {
        let plain = pattern(first_tweak ^ units as u64, units * unit_len(unit));
        let mut truth = Self { unit, first_tweak, ciphertext: plain.clone(), plain };
        for n in 0..units {
            let tweak = truth.tweak(n);
            reference.encrypt_unit(&mut truth.ciphertext[n * unit_len(unit)..][..unit_len(unit)], tweak.into());
        }
        truth
    }

    /// The tweak of unit `n`.
    pub(crate) fn tweak(&self, n: usize) -> u64 {
        self.first_tweak.wrapping_add((n as u64).wrapping_mul(self.unit.tweak_step()))
    }
}

pub(crate) fn unit_len(unit: SectorSize) -> usize {
    1 << unit.shift()
}

pub(crate) fn key(bytes: &[u8]) -> VolumeKey {
    VolumeKey::new(SecretBytes::copy_from(bytes)).unwrap()
}

/// Bytes that look random and depend on `seed` only (the SplitMix64 sequence of Steele, Lea and Flood, 2014).
pub(crate) fn pattern(seed: u64, len: usize) -> Vec<u8> {
    let word = |n: u64| {
        let mut word = seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)).to_le_bytes()
    };
    let mut bytes: Vec<u8> = (1..=len.div_ceil(8) as u64).flat_map(word).collect();
    bytes.truncate(len);
    bytes
}
