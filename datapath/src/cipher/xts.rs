//! XTS-AES as IEEE Std 1619-2018, section 5, writes it down: slow and obvious. Every engine is tested against this.
//!
//! ```text
//! T_0     = AES-enc(K2, i)                       i = the data unit's number, 128 bits, little-endian
//! T_(j+1) = T_j · α                              in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1
//! C_j     = AES-enc(K1, P_j ⊕ T_j) ⊕ T_j
//! ```
//!
//! A data unit that ends in a partial block steals ciphertext from the block before (`stealing.rs`).

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit, consts::U16};
use aes::{Aes128, Aes256};
use keywrap::keys::VolumeKey;

use super::engine::Direction;
use super::stealing::{split, steal};

type Block = Array<u8, U16>;

/// AES with a key of either size, one block at a time.
enum Aes {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
}

impl Aes {
    /// `None` unless `key` has 16 or 32 bytes.
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key).ok().map(|aes| Self::Aes128(Box::new(aes))),
            32 => Aes256::new_from_slice(key).ok().map(|aes| Self::Aes256(Box::new(aes))),
            _ => None,
        }
    }

    fn encrypt(&self, block: &mut Block) {
        match self {
            Self::Aes128(aes) => aes.encrypt_block(block),
            Self::Aes256(aes) => aes.encrypt_block(block),
        }
    }

    fn decrypt(&self, block: &mut Block) {
        match self {
            Self::Aes128(aes) => aes.decrypt_block(block),
            Self::Aes256(aes) => aes.decrypt_block(block),
        }
    }
}

/// XTS-AES-128 or XTS-AES-256 under one key, one data unit at a time.
pub struct Reference {
    k1: Aes,
    k2: Aes,
}

impl Reference {
    /// Under `key` = K1 ‖ K2.
    #[must_use]
    pub fn new(key: &VolumeKey) -> Self {
        let (k1, k2) = key.expose_secret().split_at(key.len() / 2);
        match (Aes::new(k1), Aes::new(k2)) {
            (Some(k1), Some(k2)) => Self { k1, k2 },
            _ => unreachable!("a VolumeKey has 32 or 64 bytes"),
        }
    }

    /// Encrypts the data unit of number `tweak` in place.
    ///
    /// # Panics
    /// When `unit` is shorter than a block.
    pub fn encrypt_unit(&self, unit: &mut [u8], tweak: u128) {
        self.each_block(Direction::Encrypt, unit, tweak);
    }

    /// Decrypts the data unit of number `tweak` in place.
    ///
    /// # Panics
    /// When `unit` is shorter than a block.
    pub fn decrypt_unit(&self, unit: &mut [u8], tweak: u128) {
        self.each_block(Direction::Decrypt, unit, tweak);
    }

    fn each_block(&self, direction: Direction, unit: &mut [u8], tweak: u128) {
        assert!(unit.len() >= 16, "a data unit of {} bytes is shorter than a block", unit.len());
        let mut first: Block = tweak.to_le_bytes().into();
        self.k2.encrypt(&mut first);
        let mut t = u128::from_le_bytes(first.into());
        let (whole, end) = split(unit);
        for bytes in whole.chunks_exact_mut(16) {
            bytes.copy_from_slice(&self.block(direction, bytes, t));
            t = times_alpha(t);
        }
        if !end.is_empty() {
            let masks = [t, times_alpha(t)];
            steal(direction, end, |block, at| *block = self.block(direction, block, masks[at]));
        }
    }

    /// One block under the tweak `t`.
    fn block(&self, direction: Direction, bytes: &[u8], t: u128) -> [u8; 16] {
        let mut block: Block = masked(bytes, t).into();
        match direction {
            Direction::Encrypt => self.k1.encrypt(&mut block),
            Direction::Decrypt => self.k1.decrypt(&mut block),
        }
        masked(&block, t)
    }
}

/// `block ⊕ t`.
fn masked(block: &[u8], t: u128) -> [u8; 16] {
    let mut out = t.to_le_bytes();
    for (out, byte) in out.iter_mut().zip(block) {
        *out ^= byte;
    }
    out
}

/// Multiplication by the primitive element α (section 5.2): a shift by one bit, folding the carry back in.
pub(super) fn times_alpha(t: u128) -> u128 {
    let carry = t >> 127;
    (t << 1) ^ (carry * 0x87)
}
