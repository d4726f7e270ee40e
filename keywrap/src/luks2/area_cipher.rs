//! The cipher of a keyslot's binary area (LUKS2 spec, keyslot object `area`): `aes-xts-plain64` over 512-byte sectors,
//! counted from the start of the area whatever the volume's own sector size is.

use aes::cipher::KeyInit;
use aes::{Aes128, Aes256};
use xts_mode::{Xts128, get_tweak_default};

/// Sector size of every keyslot area, in bytes.
pub const AREA_SECTOR: usize = 512;

/// A key of a length that `aes-xts-plain64` does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keyslot area: a key of {0} bytes fits neither AES-128-XTS (32) nor AES-256-XTS (64)")]
pub struct BadAreaKey(pub usize);

/// An `aes-xts-plain64` cipher for one keyslot area. Its key schedules are wiped on drop by the `aes` crate.
pub struct AreaCipher(Engine);

enum Engine {
    Aes128(Box<Xts128<Aes128>>),
    Aes256(Box<Xts128<Aes256>>),
}

impl AreaCipher {
    /// Takes K1 ‖ K2, as the keyslot's KDF gave them.
    ///
    /// # Errors
    /// [`BadAreaKey`] for a length other than 32 or 64 bytes.
    pub fn new(key: &[u8]) -> Result<Self, BadAreaKey> {
        let bad = |_| BadAreaKey(key.len());
        let (k1, k2) = key.split_at(key.len() / 2);
        Ok(Self(match key.len() {
            32 => Engine::Aes128(Box::new(Xts128::new(
                Aes128::new_from_slice(k1).map_err(bad)?,
                Aes128::new_from_slice(k2).map_err(bad)?,
            ))),
            64 => Engine::Aes256(Box::new(Xts128::new(
                Aes256::new_from_slice(k1).map_err(bad)?,
                Aes256::new_from_slice(k2).map_err(bad)?,
            ))),
            other => return Err(BadAreaKey(other)),
        }))
    }

    /// Encrypts whole sectors in place, the first being sector 0 of the area.
    pub fn encrypt(&self, sectors: &mut [u8]) {
        for (index, sector) in (0u64..).zip(sectors.chunks_exact_mut(AREA_SECTOR)) {
            let tweak = get_tweak_default(index.into());
            match &self.0 {
                Engine::Aes128(xts) => xts.encrypt_sector(sector, tweak),
                Engine::Aes256(xts) => xts.encrypt_sector(sector, tweak),
            }
        }
    }

    /// Decrypts whole sectors in place, the first being sector 0 of the area.
    pub fn decrypt(&self, sectors: &mut [u8]) {
        for (index, sector) in (0u64..).zip(sectors.chunks_exact_mut(AREA_SECTOR)) {
            let tweak = get_tweak_default(index.into());
            match &self.0 {
                Engine::Aes128(xts) => xts.decrypt_sector(sector, tweak),
                Engine::Aes256(xts) => xts.decrypt_sector(sector, tweak),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decrypting_undoes_encrypting_and_equal_sectors_differ() {
        for len in [32, 64] {
            let key: Vec<u8> = (0..len).collect();
            let cipher = AreaCipher::new(&key).unwrap();
            let mut area = [5; 2 * AREA_SECTOR];
            cipher.encrypt(&mut area);
            assert_ne!(area[..AREA_SECTOR], area[AREA_SECTOR..]);
            cipher.decrypt(&mut area);
            assert_eq!(area, [5; 2 * AREA_SECTOR]);
        }
    }

    #[test]
    fn other_key_lengths_are_refused() {
        for len in [0, 16, 31, 48, 65, 128] {
            assert_eq!(AreaCipher::new(&vec![1; len]).err(), Some(BadAreaKey(len)));
        }
    }
}
