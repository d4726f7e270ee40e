//! Round keys, laid out as the kernel reads them.

use std::arch::x86_64::*;

use keywrap::keys::VolumeKey;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::token::Token;
use crate::cipher::xts::times_alpha;

/// The most rounds that AES has (AES-256; FIPS 197, table 3).
const MAX_ROUNDS: usize = 14;

/// Round keys 0 to [`MAX_ROUNDS`]; AES-128 leaves the last four unused.
type RoundKeys = [[u8; 16]; MAX_ROUNDS + 1];

/// Everything that an engine keeps of a volume key. Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct Schedule {
    pub(super) encrypt: OneWay,
    pub(super) decrypt: OneWay,
    /// K2, which encrypts the data units' numbers in both directions.
    pub(super) tweak: RoundKeys,
}

/// K1 for one direction, with its first and last round keys folded into tweaks (see [`kernel`](super::kernel)).
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct OneWay {
    /// First round key + last round key.
    pub(super) enter: [u8; 16],
    /// The round keys, of which 1 to R - 1 are used.
    pub(super) rounds: RoundKeys,
    /// The last round key: what a mask contains beside the tweak.
    pub(super) fold: [u8; 16],
    /// `fold · x^64 + fold`, see [`Onward`](super::tweak::Onward).
    pub(super) correction: [u8; 16],
}

impl Schedule {
    /// Expands K1 and K2, in place.
    pub(super) fn new<const R: usize>(key: &VolumeKey, _proof: Token) -> Box<Self> {
        let (k1, k2) = key.expose_secret().split_at(key.len() / 2);
        let mut schedule = Box::new(Self { encrypt: OneWay::ZERO, decrypt: OneWay::ZERO, tweak: ZERO });
        // SAFETY: every token proves the AES instructions.
        unsafe {
            expand::<R>(k1, &mut schedule.encrypt.rounds);
            expand::<R>(k2, &mut schedule.tweak);
            let Self { encrypt, decrypt, .. } = &mut *schedule;
            invert::<R>(&encrypt.rounds, &mut decrypt.rounds);
        }
        schedule.encrypt.fold_in::<R>();
        schedule.decrypt.fold_in::<R>();
        schedule
    }
}

const ZERO: RoundKeys = [[0; 16]; MAX_ROUNDS + 1];

impl OneWay {
    const ZERO: Self = Self { enter: [0; 16], rounds: ZERO, fold: [0; 16], correction: [0; 16] };

    fn fold_in<const R: usize>(&mut self) {
        let [first, last] = [0, R].map(|round| u128::from_le_bytes(self.rounds[round]));
        self.enter = (first ^ last).to_le_bytes();
        self.fold = last.to_le_bytes();
        self.correction = ((0..64).fold(last, |product, _| times_alpha(product)) ^ last).to_le_bytes();
    }
}

/// Key expansion (FIPS 197, section 5.2) for `R` rounds.
#[target_feature(enable = "aes,avx")]
fn expand<const R: usize>(key: &[u8], out: &mut RoundKeys) {
    let words = key.len() / 4;
    let out = out.as_flattened_mut();
    out[..key.len()].copy_from_slice(key);
    let mut rcon = 1_u32;
    for at in words..4 * (R + 1) {
        let mut word = word_at(out, at - 1);
        if at % words == 0 {
            word = sub_word(word.rotate_right(8)) ^ rcon;
            rcon = (rcon << 1) ^ ((rcon >> 7) * 0x11b);
        } else if words == 8 && at % words == 4 {
            word = sub_word(word);
        }
        word ^= word_at(out, at - words);
        out[4 * at..4 * at + 4].copy_from_slice(&word.to_le_bytes());
    }
}

fn word_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[4 * at..4 * at + 4]);
    u32::from_le_bytes(word)
}

/// The S-box on each byte of a word: a last round of a block of four equal columns, which shifting rows leaves alone.
#[target_feature(enable = "aes,avx")]
fn sub_word(word: u32) -> u32 {
    let columns = _mm_set1_epi32(word.cast_signed());
    _mm_cvtsi128_si32(_mm_aesenclast_si128(columns, _mm_setzero_si128())).cast_unsigned()
}

/// Round keys of the equivalent inverse cipher (FIPS 197, section 5.3.5).
#[target_feature(enable = "aes,avx")]
fn invert<const R: usize>(encrypt: &RoundKeys, decrypt: &mut RoundKeys) {
    for (round, key) in decrypt.iter_mut().enumerate().take(R + 1) {
        *key = encrypt[R - round];
        if round != 0 && round != R {
            // SAFETY: a round key has sixteen bytes.
            unsafe {
                let mixed = _mm_aesimc_si128(_mm_loadu_si128(key.as_ptr().cast()));
                _mm_storeu_si128(key.as_mut_ptr().cast(), mixed);
            }
        }
    }
}
