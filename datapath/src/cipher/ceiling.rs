//! What XTS is measured against: AES-ECB with an engine's registers, loads and stores, without tweaks. A benchmark's
//! yardstick, never a cipher for data.

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use keywrap::keys::VolumeKey;

use super::dispatch::{Engine, Proof};
use super::engine::Direction;
#[cfg(target_arch = "x86_64")]
use super::simd;

/// AES-ECB under the first half of a volume key, as fast as an engine's registers can go.
pub struct Ceiling(Ecb);

enum Ecb {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
    #[cfg(target_arch = "x86_64")]
    Simd(simd::Ecb),
}

impl Ceiling {
    /// Bytes that a run is a multiple of.
    pub const GRANULE: usize = 1024;

    /// The ceiling of `engine` under K1 of `key`.
    #[must_use]
    pub fn new(key: &VolumeKey, engine: Engine) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Proof::Simd(token) = engine.0 {
            return Self(Ecb::Simd(simd::Ecb::new(key, token)));
        }
        let k1 = &key.expose_secret()[..key.len() / 2];
        let ecb = match Aes256::new_from_slice(k1) {
            Ok(aes) => Ecb::Aes256(Box::new(aes)),
            Err(_) => Ecb::Aes128(Box::new(Aes128::new_from_slice(k1).expect("a VolumeKey has 32 or 64 bytes"))),
        };
        Self(ecb)
    }

    /// Every block of `data` through the block cipher, in place.
    ///
    /// # Panics
    /// When `data` is not a multiple of [`Self::GRANULE`].
    pub fn run(&self, direction: Direction, data: &mut [u8]) {
        assert!(data.len().is_multiple_of(Self::GRANULE), "{} bytes are not whole granules", data.len());
        #[cfg(target_arch = "x86_64")]
        if let Ecb::Simd(ecb) = &self.0 {
            return ecb.run(direction, data.as_chunks_mut().0);
        }
        let (blocks, _) = Array::slice_as_chunks_mut(data);
        match (&self.0, direction) {
            (Ecb::Aes128(aes), Direction::Encrypt) => aes.encrypt_blocks(blocks),
            (Ecb::Aes128(aes), Direction::Decrypt) => aes.decrypt_blocks(blocks),
            (Ecb::Aes256(aes), Direction::Encrypt) => aes.encrypt_blocks(blocks),
            (Ecb::Aes256(aes), Direction::Decrypt) => aes.decrypt_blocks(blocks),
            #[cfg(target_arch = "x86_64")]
            (Ecb::Simd(_), _) => {}
        }
    }
}
