//! The portable engine: XTS over the `aes` crate, which takes AES instructions where the processor has them and
//! constant-time code elsewhere. It is given a whole data unit at a time, so that it can keep several blocks in flight.

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U16};
use aes::{Aes128, Aes256};
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;

use super::engine::{Buffers, Direction, Units, Xts};
use super::stealing::{split, steal};
use super::unit_len;
use super::xts::times_alpha;

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
pub(super) fn engine(key: &VolumeKey) -> Box<dyn Xts> {
    match key.len() {
        32 => Portable::<Aes128>::boxed(key),
        _ => Portable::<Aes256>::boxed(key),
    }
}

impl<C> Portable<C>
where
    C: KeyInit + BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + BlockCipherDecrypt + Send + Sync + 'static,
{
    fn boxed(key: &VolumeKey) -> Box<dyn Xts> {
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

impl<C> Xts for Portable<C>
where
    C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + BlockCipherDecrypt + Send + Sync,
{
    fn run(&self, direction: Direction, buffers: Buffers<'_>, Units { size, first_tweak, .. }: Units) {
        let data = buffers.in_place();
        match direction {
            Direction::Encrypt => self.each_unit(data, size, first_tweak, |aes, blocks| aes.encrypt_blocks(blocks)),
            Direction::Decrypt => self.each_unit(data, size, first_tweak, |aes, blocks| aes.decrypt_blocks(blocks)),
        }
    }

    fn unit(&self, direction: Direction, unit: &mut [u8], tweak: u128) {
        let aes = |blocks: &mut [Block]| match direction {
            Direction::Encrypt => self.k1.encrypt_blocks(blocks),
            Direction::Decrypt => self.k1.decrypt_blocks(blocks),
        };
        let mut next: Block = tweak.to_le_bytes().into();
        self.k2.encrypt_block(&mut next);
        let (whole, end) = split(unit);
        let mut masks = [Block::default(); UNIT_BLOCKS];
        for bytes in whole.chunks_mut(16 * UNIT_BLOCKS) {
            let (blocks, _) = Array::slice_as_chunks_mut(bytes);
            let masks = &mut masks[..blocks.len()];
            next = fill(masks, next);
            xor(blocks, masks);
            aes(blocks);
            xor(blocks, masks);
        }
        if !end.is_empty() {
            let mut masks = [Block::default(); 2];
            fill(&mut masks, next);
            steal(direction, end, |bytes, at| {
                let block = &mut [(*bytes).into()];
                xor(block, &masks[at..=at]);
                aes(block);
                xor(block, &masks[at..=at]);
                *bytes = block[0].into();
            });
        }
    }
}

/// A run of masks, the first of which is `first`; returns the one after the last.
fn fill(masks: &mut [Block], first: Block) -> Block {
    let mut t = u128::from_le_bytes(first.into());
    for mask in masks {
        *mask = t.to_le_bytes().into();
        t = times_alpha(t);
    }
    t.to_le_bytes().into()
}

fn xor(blocks: &mut [Block], masks: &[Block]) {
    for (block, mask) in blocks.iter_mut().zip(masks) {
        let mixed = u128::from_ne_bytes((*block).into()) ^ u128::from_ne_bytes((*mask).into());
        *block = mixed.to_ne_bytes().into();
    }
}
