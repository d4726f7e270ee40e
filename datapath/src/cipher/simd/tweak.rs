//! Tweaks: from a data unit's first to those of all its blocks, many at a time.
//!
//! All that happens here happens in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1, where x^128 = 0x87 (IEEE Std 1619-2018,
//! section 5.2): what is shifted out at the top comes back times 0x87.

use super::firsts::First;
use super::memory::{Masks, SLAB_BLOCKS, opaque};
use super::schedule::OneWay;
use super::vector::Vector;

/// Shift counts for both halves of every block of a slab. Block i's tweak is the first one times x^i: its halves shift
/// left by i, and what crosses into the other half is found by a shift right by 64 - i.
#[repr(C, align(64))]
pub(super) struct Counts {
    left: [[u64; 2]; SLAB_BLOCKS],
    right: [[u64; 2]; SLAB_BLOCKS],
}

static COUNTS: Counts = {
    let mut counts = Counts { left: [[0; 2]; SLAB_BLOCKS], right: [[0; 2]; SLAB_BLOCKS] };
    let mut i = 0;
    while i < SLAB_BLOCKS {
        counts.left[i] = [i as u64; 2];
        counts.right[i] = [64 - i as u64; 2];
        i += 1;
    }
    counts
};

/// A data unit's first tweak, ready to be spread over its blocks: in every place, in registers.
#[derive(Clone, Copy)]
pub(super) struct Spread<V> {
    tweak: V,
    /// Its halves changed over.
    swapped: V,
}

impl<V: Vector> Spread<V> {
    /// Pinned, or they would be loaded again for every register of masks.
    #[inline(always)]
    unsafe fn new(first: First) -> Self {
        // SAFETY: the caller vouches for the processor.
        unsafe { Self { tweak: first.tweak::<V>().pin(), swapped: first.swapped::<V>().pin() } }
    }

    /// `tweak · x^i + fold` for the blocks i that register `r` of the unit holds, r below a slab's registers.
    ///
    /// Both halves of the tweak shift left by i. What crosses between them is found with one shift right of the
    /// changed-over tweak: in the upper half it is in its place; in the lower half it left at the top and is to be
    /// multiplied by 0x87, which is 0x86 + 1, and the "+ 1" is there already.
    #[inline(always)]
    unsafe fn over(self, r: usize, counts: &Counts, fold: V) -> V {
        // SAFETY: register `r` of a slab lies inside the tables; the caller vouches for the processor.
        unsafe {
            let left = V::load(counts.left.as_ptr().add(r * V::BLOCKS).cast());
            let right = V::load(counts.right.as_ptr().add(r * V::BLOCKS).cast());
            let crossing = self.swapped.shift_right(right);
            self.tweak.shift_left(left).xor3(crossing, fold).xor(crossing.times_86())
        }
    }
}

/// Where the masks of the next slab come from. Masks are tweaks plus the last round key (see [`kernel`](super::kernel)).
pub(super) trait Next<V> {
    /// What a group of registers has to have at hand.
    type Ready;

    /// Gets it, for `count` registers from `first` on.
    unsafe fn ready(&self, first: usize, count: usize) -> Self::Ready;

    /// The mask for register `r` of the next slab, one of the group, given those of this slab.
    unsafe fn mask(ready: &Self::Ready, r: usize, now: &Masks) -> V;
}

/// There is no next slab: its masks, which are those of the slab before, are wiped where that costs nothing.
pub(super) struct Nothing;

impl<V: Vector> Next<V> for Nothing {
    type Ready = ();

    #[inline(always)]
    unsafe fn ready(&self, _: usize, _: usize) {}

    #[inline(always)]
    unsafe fn mask(&(): &(), _: usize, _: &Masks) -> V {
        // SAFETY: the caller vouches for the processor.
        unsafe { V::number(0) }
    }
}

/// The next slab goes on with this one's data unit: sixty-four blocks further, times x^64.
pub(super) struct Onward<'a>(pub(super) &'a OneWay);

impl<V: Vector> Next<V> for Onward<'_> {
    /// `k · x^64 + k` for the k that masks contain, so that they go on containing it.
    type Ready = V;

    #[inline(always)]
    unsafe fn ready(&self, _: usize, _: usize) -> V {
        // SAFETY: the caller vouches for the processor.
        unsafe { V::broadcast(&opaque(self.0).correction) }
    }

    #[inline(always)]
    unsafe fn mask(correction: &V, r: usize, now: &Masks) -> V {
        // SAFETY: the caller vouches for `r` and for the processor.
        unsafe { now.get::<V>(r).times_x64(*correction) }
    }
}

/// The next slab begins with a new data unit: one, or two of half a slab when `HALVES`.
pub(super) struct Units<'a, const HALVES: bool> {
    pub(super) keys: &'a OneWay,
    /// The first tweak of the unit, or of the first of two.
    pub(super) first: First,
}

/// The data units that a group of registers belongs to.
pub(super) struct Group<V> {
    /// The unit of the group's first register.
    unit: usize,
    /// That unit's first tweak.
    this: Spread<V>,
    /// The next one's, where the group reaches into it. No array: an index that the compiler does not know would move
    /// all of this into memory, which nobody wipes.
    other: Spread<V>,
    counts: &'static Counts,
    /// The k that masks contain.
    fold: V,
}

impl<const HALVES: bool> Units<'_, HALVES> {
    /// Registers that a slab holds of one unit.
    const fn registers<V: Vector>() -> usize {
        if HALVES { SLAB_BLOCKS / V::BLOCKS / 2 } else { SLAB_BLOCKS / V::BLOCKS }
    }
}

impl<V: Vector, const HALVES: bool> Next<V> for Units<'_, HALVES> {
    type Ready = Group<V>;

    #[inline(always)]
    unsafe fn ready(&self, first: usize, count: usize) -> Group<V> {
        let (unit, last) = (first / Self::registers::<V>(), (first + count - 1) / Self::registers::<V>());
        // SAFETY: `first` has a neighbour where there are halves; the caller vouches for the processor.
        unsafe {
            let this = Spread::new(self.first.further(unit));
            let other = if last == unit { this } else { Spread::new(self.first.further(last)) };
            Group { unit, this, other, counts: opaque(&COUNTS), fold: V::broadcast(&opaque(self.keys).fold) }
        }
    }

    #[inline(always)]
    unsafe fn mask(group: &Group<V>, r: usize, _: &Masks) -> V {
        let registers = Self::registers::<V>();
        let first = if r / registers == group.unit { group.this } else { group.other };
        // SAFETY: the caller vouches for `r` and for the processor.
        unsafe { first.over(r % registers, group.counts, group.fold) }
    }
}
