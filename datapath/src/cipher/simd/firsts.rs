//! The first tweaks of many data units at once: their numbers, encrypted under K2. One after the other, each would wait
//! for all the rounds of the one before.

use super::memory::{Blocks, opaque};
use super::schedule::Schedule;
use super::vector::Vector;

/// Registers of numbers that are encrypted side by side: as many as the AES units can overlap.
const REGISTERS: usize = 8;
/// Registers for a short run.
const FEW: usize = 2;
/// Blocks that the widest registers make of that.
const MOST: usize = 4 * REGISTERS;

/// 0, 1, 2 and so on, each as a block.
#[repr(C, align(64))]
struct Indices([[u64; 2]; MOST]);

static INDICES: Indices = {
    let mut indices = [[0; 2]; MOST];
    let mut i = 0;
    while i < MOST {
        indices[i][0] = i as u64;
        i += 1;
    }
    Indices(indices)
};

/// The encrypted numbers of the next data units of a run.
pub(super) struct Firsts<'a> {
    schedule: &'a Schedule,
    blocks: Blocks<MOST>,
    /// Whether one short group of blocks is all that is needed.
    few: bool,
    /// Places in `blocks` of the next one and behind the last one.
    next: usize,
    end: usize,
    /// The number of the unit after the last one.
    number: u64,
    /// From one unit's number to the next: 1 shifted left by this.
    step_shift: u64,
}

impl<'a> Firsts<'a> {
    /// For data units of the numbers `first`, `first + 2^step_shift` and so on, about `units` of them.
    #[inline(always)]
    pub(super) unsafe fn new<V: Vector, const R: usize>(
        schedule: &'a Schedule,
        first: u64,
        step_shift: u32,
        units: usize,
    ) -> Self {
        let (blocks, step_shift) = (Blocks::uninit(), u64::from(step_shift));
        let few = units <= FEW * V::BLOCKS;
        let mut firsts = Self { schedule, blocks, few, next: 0, end: 0, number: first, step_shift };
        // SAFETY: the caller vouches for the processor.
        unsafe {
            if firsts.few {
                firsts.make::<V, FEW, R>();
            } else {
                firsts.make::<V, REGISTERS, R>();
            }
        }
        firsts
    }

    /// The next `units` (one or two) encrypted numbers.
    #[inline(always)]
    pub(super) unsafe fn take<V: Vector, const R: usize>(&mut self, units: usize) -> *const [u8; 16] {
        if self.next == self.end {
            // SAFETY: the caller vouches for the processor.
            unsafe { self.make::<V, REGISTERS, R>() };
        }
        let first = self.blocks.at(self.next);
        self.next += units;
        first
    }

    /// Encrypts the next `N` registers of numbers.
    #[inline(always)]
    unsafe fn make<V: Vector, const N: usize, const R: usize>(&mut self) {
        let keys = opaque(&self.schedule.tweak);
        // SAFETY: `N` registers are at most `MOST` blocks; the caller vouches for the processor.
        unsafe {
            let start = V::broadcast(&keys[0]);
            let (first, shift) = (V::number(self.number), V::counts(self.step_shift));
            let mut x = [start; N];
            for (i, x) in x.iter_mut().enumerate() {
                let index = V::load(INDICES.0.as_ptr().add(i * V::BLOCKS).cast());
                *x = first.add(index.shift_left(shift)).xor(start);
            }
            for key in &keys[1..R] {
                let key = V::broadcast(key);
                for x in &mut x {
                    *x = x.encrypt(key).pin();
                }
            }
            let last = V::broadcast(&keys[R]);
            for (i, x) in x.into_iter().enumerate() {
                self.blocks.set(i, x.encrypt_last(last));
            }
        }
        (self.next, self.end) = (0, N * V::BLOCKS);
        self.number = self.number.wrapping_add((self.end as u64) << self.step_shift);
    }

    /// Wipes the tweaks.
    #[inline(always)]
    pub(super) unsafe fn wipe<V: Vector>(&mut self) {
        // SAFETY: the caller vouches for the processor.
        unsafe {
            if self.few {
                self.blocks.wipe::<V>(FEW);
            } else {
                self.blocks.wipe::<V>(REGISTERS);
            }
        }
    }
}
