//! One data unit of any length.

use std::mem;

use zeroize::Zeroize;

use super::engine::in_place;
use super::firsts::{Firsts, Room};
use super::kernel::{Way, group};
use super::memory::{Masks, SLAB, SLAB_BLOCKS};
use super::run::{fill, one_slab};
use super::schedule::{OneWay, Schedule};
use super::tweak::{Nothing, Onward, Units};
use super::vector::Vector;
use crate::cipher::engine::Direction;
use crate::cipher::stealing::{split, steal};

/// Bytes of the widest register.
const REGISTER: usize = 64;

/// Encrypts or decrypts `unit`, of at least one block, whose number is `tweak`.
///
/// # Safety
/// The processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn unit<V: Vector, W: Way, const G: usize, const R: usize>(
    (schedule, keys): (&Schedule, &OneWay),
    unit: &mut [u8],
    (direction, tweak): (Direction, u128),
) {
    let (whole, end) = split(unit);
    let mut slabs = whole.chunks_exact_mut(SLAB);
    let (mut room, mut masks) = (Room::uninit(), [Masks::uninit(), Masks::uninit()]);
    let [mut now, mut then] = masks.each_mut();
    // SAFETY: slabs are whole, and so are the buffers of blocks; the caller vouches for the processor.
    unsafe {
        let mut firsts = Firsts::single::<V, R>((schedule, &mut room), tweak);
        fill::<V, _>(now, &Units::<false> { keys, first: firsts.take::<V, R>(1) });
        firsts.wipe::<V>();
        for slab in &mut slabs {
            let (from, to) = in_place(slab);
            one_slab::<V, W, _, G, R>(keys, (from, to, false), now, (&Onward(keys), then));
            mem::swap(&mut now, &mut then);
        }
        let rest = slabs.into_remainder();
        let mut padded = [0; SLAB];
        padded[..rest.len()].copy_from_slice(rest);
        let (from, to) = in_place(&mut padded);
        one_slab::<V, W, _, G, R>(keys, (from, to, false), now, (&Onward(keys), then));
        rest.copy_from_slice(&padded[..rest.len()]);
        padded.zeroize();
        if !end.is_empty() {
            let blocks = rest.len() / 16;
            steal(direction, end, |block, ahead| {
                let at = blocks + ahead;
                let mask = if at < SLAB_BLOCKS { now.at(at) } else { then.at(at - SLAB_BLOCKS) };
                one_block::<V, W, R>(keys, block, mask);
            });
        }
        now.wipe::<V>(0..SLAB_BLOCKS / V::BLOCKS);
        then.wipe::<V>(0..SLAB_BLOCKS / V::BLOCKS);
        V::clear_registers();
    }
}

/// One block under the mask at `mask`.
#[inline(always)]
unsafe fn one_block<V: Vector, W: Way, const R: usize>(keys: &OneWay, block: &mut [u8; 16], mask: *const [u8; 16]) {
    let (mut data, mut masks, mut none) = ([0; REGISTER], Masks::uninit(), Masks::uninit());
    data[..16].copy_from_slice(block);
    // SAFETY: every buffer has room for a register; the caller vouches for the mask and for the processor.
    unsafe {
        masks.set(0, V::broadcast(mask));
        let (from, to) = in_place(&mut data);
        group::<V, W, _, 1, R>(keys, 0, (from, to, false), &masks, (&Nothing, &mut none));
        masks.wipe::<V>(0..1);
    }
    block.copy_from_slice(&data[..16]);
    data.zeroize();
}
