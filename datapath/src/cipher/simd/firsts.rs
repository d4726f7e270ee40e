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

/// A data unit's first tweak, in memory, with its twin: the same with its halves changed over.
#[derive(Clone, Copy)]
pub(super) struct First(*const [u8; 16]);

impl First {
    /// The tweak in every place.
    #[inline(always)]
    pub(super) unsafe fn tweak<V: Vector>(self) -> V {
        // SAFETY: it points to a block; the caller vouches for the processor.
        unsafe { V::broadcast(self.0) }
    }

    /// Its twin in every place.
    #[inline(always)]
    pub(super) unsafe fn swapped<V: Vector>(self) -> V {
        // SAFETY: twins lie `MOST` blocks further; the caller vouches for the processor.
        unsafe { V::broadcast(self.0.add(MOST)) }
    }

    /// That of the unit `units` further on.
    #[inline(always)]
    pub(super) const fn further(self, units: usize) -> Self {
        Self(self.0.wrapping_add(units))
    }
}

/// Room for tweaks, then for their twins.
pub(super) type Room = Blocks<{ 2 * MOST }>;

/// The first tweaks of the next data units of a run.
pub(super) struct Firsts<'a> {
    schedule: &'a Schedule,
    /// Apart from the rest, which the compiler can then keep in registers.
    room: &'a mut Room,
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
        (schedule, room): (&'a Schedule, &'a mut Room),
        first: u64,
        step_shift: u32,
        units: usize,
    ) -> Self {
        let (few, step_shift) = (units <= FEW * V::BLOCKS, u64::from(step_shift));
        let mut firsts = Self { schedule, room, few, next: 0, end: 0, number: first, step_shift };
        // SAFETY: the caller vouches for the processor.
        unsafe {
            if few {
                firsts.make::<V, FEW, R>();
            } else {
                firsts.make::<V, REGISTERS, R>();
            }
        }
        firsts
    }

    /// For one data unit, whose number may have 128 bits.
    #[inline(always)]
    pub(super) unsafe fn single<V: Vector, const R: usize>(
        (schedule, room): (&'a Schedule, &'a mut Room),
        number: u128,
    ) -> Self {
        let mut firsts = Self { schedule, room, few: true, next: 0, end: 1, number: 0, step_shift: 0 };
        // SAFETY: the caller vouches for the processor.
        unsafe { firsts.encrypt::<V, FEW, R>([V::broadcast(&number.to_le_bytes()); FEW]) };
        firsts
    }

    /// That of the next unit, behind which there is another if `units` is two.
    #[inline(always)]
    pub(super) unsafe fn take<V: Vector, const R: usize>(&mut self, units: usize) -> First {
        if self.next == self.end {
            // SAFETY: the caller vouches for the processor.
            unsafe { self.make::<V, REGISTERS, R>() };
        }
        // Opaque, or the compiler would take the block out of the register that was stored, through general ones.
        let first = opaque(&*self.room).at(self.next);
        self.next += units;
        First(first)
    }

    /// Encrypts the next `N` registers of numbers.
    #[inline(always)]
    unsafe fn make<V: Vector, const N: usize, const R: usize>(&mut self) {
        // SAFETY: `N` registers are at most `MOST` blocks; the caller vouches for the processor.
        unsafe {
            let (indices, first, shift) = (opaque(&INDICES), V::number(self.number), V::counts(self.step_shift));
            let mut numbers = [first; N];
            for (i, number) in numbers.iter_mut().enumerate() {
                let index = V::load(indices.0.as_ptr().add(i * V::BLOCKS).cast());
                *number = first.add(index.shift_left(shift));
            }
            self.encrypt::<V, N, R>(numbers);
        }
        (self.next, self.end) = (0, N * V::BLOCKS);
        self.number = self.number.wrapping_add((self.end as u64) << self.step_shift);
    }

    #[inline(always)]
    unsafe fn encrypt<V: Vector, const N: usize, const R: usize>(&mut self, mut x: [V; N]) {
        let keys = opaque(&self.schedule.tweak);
        // SAFETY: `N` registers are at most `MOST` blocks; the caller vouches for the processor.
        unsafe {
            let key = V::broadcast(&keys[0]);
            for x in &mut x {
                *x = x.xor(key);
            }
            for key in &keys[1..R] {
                let key = V::broadcast(key);
                for x in &mut x {
                    *x = x.encrypt(key).pin();
                }
            }
            let last = V::broadcast(&keys[R]);
            for (i, x) in x.into_iter().enumerate() {
                let tweaks = x.encrypt_last(last);
                self.room.set(i, tweaks);
                self.room.set(MOST / V::BLOCKS + i, tweaks.swap_halves());
            }
        }
    }

    /// Wipes the tweaks.
    #[inline(always)]
    pub(super) unsafe fn wipe<V: Vector>(&mut self) {
        let made = if self.few { FEW } else { REGISTERS };
        // SAFETY: so many registers are at most `MOST` blocks; the caller vouches for the processor.
        unsafe {
            self.room.wipe::<V>(0..made);
            self.room.wipe::<V>(MOST / V::BLOCKS..MOST / V::BLOCKS + made);
        }
    }
}
