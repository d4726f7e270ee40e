//! The reference engine: the `aes` crate under the `xts-mode` crate, one block after the other. Someone else's code, so a
//! second opinion on ours; slow where the `aes` crate prepares wide registers for every single block.

use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U16};
use aes::{Aes128, Aes256};
use keywrap::keys::VolumeKey;
use xts_mode::Xts128;

use super::engine::{Buffers, Direction, Units, Xts};
use super::units;

/// XTS over one block cipher. The round keys are wiped when it is dropped.
struct OneByOne<C>(Box<Xts128<C>>);

/// The engine for either key size.
pub(super) fn engine(key: &VolumeKey) -> Box<dyn Xts> {
    match key.len() {
        32 => Box::new(OneByOne::<Aes128>::new(key)),
        _ => Box::new(OneByOne::<Aes256>::new(key)),
    }
}

impl<C: KeyInit + BlockSizeUser<BlockSize = U16>> OneByOne<C> {
    fn new(key: &VolumeKey) -> Self {
        let (k1, k2) = key.expose_secret().split_at(key.len() / 2);
        match (C::new_from_slice(k1), C::new_from_slice(k2)) {
            (Ok(k1), Ok(k2)) => Self(Box::new(Xts128::new(k1, k2))),
            _ => unreachable!("the cipher was chosen by the key's length"),
        }
    }
}

impl<C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + BlockCipherDecrypt> OneByOne<C> {
    fn sector(&self, direction: Direction, data: &mut [u8], tweak: u128) {
        let tweak = tweak.to_le_bytes().into();
        match direction {
            Direction::Encrypt => self.0.encrypt_sector(data, tweak),
            Direction::Decrypt => self.0.decrypt_sector(data, tweak),
        }
    }
}

impl<C> Xts for OneByOne<C>
where
    C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + BlockCipherDecrypt + Send + Sync,
{
    fn run(&self, direction: Direction, buffers: Buffers<'_>, Units { size, first_tweak, .. }: Units) {
        for (bytes, tweak) in units(buffers.in_place(), size, first_tweak) {
            self.sector(direction, bytes, tweak.into());
        }
    }

    fn unit(&self, direction: Direction, unit: &mut [u8], tweak: u128) {
        self.sector(direction, unit, tweak);
    }
}
