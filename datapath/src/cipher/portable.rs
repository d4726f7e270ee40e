//! The portable engine: XTS over the `aes` crate, which takes AES instructions where the processor has them and
//! constant-time code elsewhere. It is given a whole data unit at a time, so that it can keep several blocks in flight.

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U16};
use aes::{Aes128, Aes256};
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;

use super::xts::times_alpha;
use super::{Engine, unit_len};

type Block = Array<u8, U16>;

/// Data units whose tweaks are encrypted together.
const GROUP: usize = 32;

/// Blocks of the largest data unit.
const UNIT_BLOCKS: usize = unit_len(SectorSize::B4096) / 16;

/// XTS over one block cipher. The round keys are wiped when it is dropped.
struct Portable<C> {
    k1: C,
    k2: C,
}

/// The portable engine for either key size.
pub(super) fn engine(key: &VolumeKey) -> Box<dyn Engine> {
    match key.len() {
        32 => Portable::<Aes128>::boxed(key),
        _ => Portable::<Aes256>::boxed(key),
    }
}

impl<C> Portable<C>
where
    C: KeyInit + BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + BlockCipherDecrypt + Send + Sync + 'static,
{
    fn boxed(key: &VolumeKey) -> Box<dyn Engine> {
        let (k1, k2) = key.expose_secret().split_at(key.len() / 2);
        match (C::new_from_slice(k1), C::new_from_slice(k2)) {
            (Ok(k1), Ok(k2)) => Box::new(Self { k1, k2 }),
            _ => unreachable!("the cipher was chosen by the key's length"),
        }
    }
}

impl<C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt> Portable<C> {
    /// Every data unit: masked, through the block cipher, masked again.
    fn each_unit(&self, data: &mut [u8], unit: SectorSize, first_tweak: u64, aes: impl Fn(&C, &mut [Block])) {
        let mut tweak = first_tweak;
        let mut masks = [Block::default(); UNIT_BLOCKS];
        for group in data.chunks_mut(GROUP * unit_len(unit)) {
            let mut firsts = [Block::default(); GROUP];
            for first in &mut firsts {
                *first = u128::from(tweak).to_le_bytes().into();
                tweak = tweak.wrapping_add(unit.tweak_step());
            }
            self.k2.encrypt_blocks(&mut firsts);
            for (bytes, first) in group.chunks_exact_mut(unit_len(unit)).zip(firsts) {
                let (blocks, _) = Array::slice_as_chunks_mut(bytes);
                let masks = &mut masks[..blocks.len()];
                fill(masks, first);
                xor(blocks, masks);
                aes(&self.k1, blocks);
                xor(blocks, masks);
            }
        }
    }
}

impl<C> Engine for Portable<C>
where
    C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + BlockCipherDecrypt + Send + Sync,
{
    fn encrypt(&self, data: &mut [u8], unit: SectorSize, first_tweak: u64) {
        self.each_unit(data, unit, first_tweak, |aes, blocks| aes.encrypt_blocks(blocks));
    }

    fn decrypt(&self, data: &mut [u8], unit: SectorSize, first_tweak: u64) {
        self.each_unit(data, unit, first_tweak, |aes, blocks| aes.decrypt_blocks(blocks));
    }
}

/// The masks of one data unit, the first of which is its encrypted tweak.
fn fill(masks: &mut [Block], first: Block) {
    let mut t = u128::from_le_bytes(first.into());
    for mask in masks {
        *mask = t.to_le_bytes().into();
        t = times_alpha(t);
    }
}

fn xor(blocks: &mut [Block], masks: &[Block]) {
    for (block, mask) in blocks.iter_mut().zip(masks) {
        let mixed = u128::from_ne_bytes((*block).into()) ^ u128::from_ne_bytes((*mask).into());
        *block = mixed.to_ne_bytes().into();
    }
}
