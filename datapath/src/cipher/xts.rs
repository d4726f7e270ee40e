//! XTS-AES as IEEE Std 1619-2018, section 5, writes it down: slow and obvious. Every engine is tested against this.
//!
//! ```text
//! T_0     = AES-enc(K2, i)                       i = the data unit's number, 128 bits, little-endian
//! T_(j+1) = T_j · α                              in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1
//! C_j     = AES-enc(K1, P_j ⊕ T_j) ⊕ T_j
//! ```
//!
//! Ciphertext stealing (section 5.3.2) is left out: a sector is always a whole number of 16-byte blocks.

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit, consts::U16};
use aes::{Aes128, Aes256};
use keywrap::keys::VolumeKey;

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
    /// When `unit` is not a whole number of 16-byte blocks.
    pub fn encrypt_unit(&self, unit: &mut [u8], tweak: u128) {
        self.each_block(unit, tweak, |aes, block| aes.encrypt(block));
    }

    /// Decrypts the data unit of number `tweak` in place.
    ///
    /// # Panics
    /// When `unit` is not a whole number of 16-byte blocks.
    pub fn decrypt_unit(&self, unit: &mut [u8], tweak: u128) {
        self.each_block(unit, tweak, |aes, block| aes.decrypt(block));
    }

    fn each_block(&self, unit: &mut [u8], tweak: u128, aes: impl Fn(&Aes, &mut Block)) {
        assert!(unit.len().is_multiple_of(16), "a data unit of {} bytes is not a whole number of blocks", unit.len());
        let mut first: Block = tweak.to_le_bytes().into();
        self.k2.encrypt(&mut first);
        let mut t = u128::from_le_bytes(first.into());
        for bytes in unit.chunks_exact_mut(16) {
            let mut block: Block = masked(bytes, t).into();
            aes(&self.k1, &mut block);
            bytes.copy_from_slice(&masked(&block, t));
            t = times_alpha(t);
        }
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
