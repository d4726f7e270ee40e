//! Tweaks: from a data unit's first to those of all its blocks, many at a time.
//!
//! All that happens here happens in GF(2^128) modulo x^128 + x^7 + x^2 + x + 1, where x^128 = 0x87 (IEEE Std 1619-2018,
//! section 5.2): what is shifted out at the top comes back times 0x87.

use super::memory::{Masks, SLAB_BLOCKS};
use super::vector::Vector;

/// Shift counts for both halves of every block of a slab.
#[repr(C, align(64))]
struct Counts([[u64; 2]; SLAB_BLOCKS]);

/// Block i's tweak is the first one times x^i: its halves shift left by i ...
static LEFT: Counts = counts(0);
/// ... and what crosses into the other half is found by a shift right by 64 - i.
static RIGHT: Counts = counts(64);

const fn counts(minus: u64) -> Counts {
    let mut counts = [[0; 2]; SLAB_BLOCKS];
    let mut i = 0;
    while i < SLAB_BLOCKS {
        let count = minus.abs_diff(i as u64);
        counts[i] = [count; 2];
        i += 1;
    }
    Counts(counts)
}

/// `first · x^i + fold` for the blocks i that register `r` of a data unit holds, r below a slab's registers; `first` is
/// the unit's first tweak in every place.
#[inline(always)]
unsafe fn spread<V: Vector>(first: V, r: usize, fold: V) -> V {
    // SAFETY: register `r` of a slab lies inside the tables; the caller vouches for the processor.
    unsafe {
        let left = V::load((&raw const LEFT).cast::<u8>().add(r * V::BYTES));
        let right = V::load((&raw const RIGHT).cast::<u8>().add(r * V::BYTES));
        first.times_x(left, right, fold)
    }
}

/// Where the tweaks of the next slab come from. Masks are tweaks plus the last round key (see [`kernel`](super::kernel)).
pub(super) trait Next<V> {
    /// The mask for register `r` of the next slab, given that of the same register of this one.
    unsafe fn mask(&self, r: usize, now: &Masks) -> V;
}

/// There is no next slab: its masks, which are those of the slab before, are wiped where that costs nothing.
pub(super) struct Nothing;

impl<V: Vector> Next<V> for Nothing {
    #[inline(always)]
    unsafe fn mask(&self, _: usize, _: &Masks) -> V {
        // SAFETY: the caller vouches for the processor.
        unsafe { V::number(0) }
    }
}

/// The next slab goes on with this one's data unit: sixty-four blocks further, times x^64.
pub(super) struct Onward<V> {
    /// `k · x^64 + k` for the k that masks contain, so that they go on containing it.
    pub(super) correction: V,
}

impl<V: Vector> Next<V> for Onward<V> {
    #[inline(always)]
    unsafe fn mask(&self, r: usize, now: &Masks) -> V {
        // SAFETY: the caller vouches for `r` and for the processor.
        unsafe { now.get::<V>(r).times_x64(self.correction) }
    }
}

/// The next slab begins with a new data unit: one, or two of half a slab when `HALVES`.
pub(super) struct Units<V, const HALVES: bool> {
    /// The encrypted first tweaks of the one or two units.
    pub(super) firsts: *const [u8; 16],
    /// The k that masks contain.
    pub(super) fold: V,
}

impl<V: Vector, const HALVES: bool> Next<V> for Units<V, HALVES> {
    #[inline(always)]
    unsafe fn mask(&self, r: usize, _: &Masks) -> V {
        let registers = if HALVES { SLAB_BLOCKS / V::BLOCKS / 2 } else { SLAB_BLOCKS / V::BLOCKS };
        // SAFETY: `firsts` points to as many blocks as a slab has units; the caller vouches for `r` and the processor.
        unsafe {
            let first = V::broadcast(self.firsts.add(r / registers));
            spread(first, r % registers, self.fold)
        }
    }
}
