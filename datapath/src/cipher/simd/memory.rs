//! What the engines keep in memory while they run: tweaks, on the stack, never initialised twice and always wiped.

use std::arch::asm;
use std::mem::MaybeUninit;
use std::ops::Range;

use super::vector::Vector;

/// Bytes in a slab: what the engines handle in one go.
pub(super) const SLAB: usize = 1024;
/// Blocks in a slab.
pub(super) const SLAB_BLOCKS: usize = SLAB / 16;

/// Room for `N` blocks.
#[repr(C, align(64))]
pub(super) struct Blocks<const N: usize>([MaybeUninit<[u8; 16]>; N]);

/// The masks of a slab's blocks, in memory, since the registers are full of data.
pub(super) type Masks = Blocks<SLAB_BLOCKS>;

impl<const N: usize> Blocks<N> {
    /// Nothing yet.
    #[inline(always)]
    pub(super) const fn uninit() -> Self {
        Self([MaybeUninit::uninit(); N])
    }

    /// Where block `i` is.
    #[inline(always)]
    pub(super) fn at(&self, i: usize) -> *const [u8; 16] {
        self.0.as_ptr().wrapping_add(i).cast()
    }

    /// The blocks of register `r`, which were set before.
    #[inline(always)]
    pub(super) unsafe fn get<V: Vector>(&self, r: usize) -> V {
        debug_assert!((r + 1) * V::BLOCKS <= N, "register {r} is not among {N} blocks");
        // SAFETY: the caller vouches for `r` and for the processor.
        unsafe { V::load(self.0.as_ptr().add(r * V::BLOCKS).cast()) }
    }

    /// Sets the blocks of register `r`.
    #[inline(always)]
    pub(super) unsafe fn set<V: Vector>(&mut self, r: usize, blocks: V) {
        debug_assert!((r + 1) * V::BLOCKS <= N, "register {r} is not among {N} blocks");
        // SAFETY: the caller vouches for `r` and for the processor.
        unsafe { blocks.store(self.0.as_mut_ptr().add(r * V::BLOCKS).cast()) }
    }

    /// Zeroes the blocks of some registers, for good.
    #[inline(always)]
    pub(super) unsafe fn wipe<V: Vector>(&mut self, registers: Range<usize>) {
        // SAFETY: the caller vouches for `registers`; the caller vouches for the processor. As far as the compiler knows, the empty assembly reads what the
        // stores wrote, so they stay.
        unsafe {
            let zero = V::number(0);
            for r in registers {
                self.set(r, zero);
            }
            asm!("/* {0} */", in(reg) self.0.as_ptr(), options(readonly, nostack, preserves_flags));
        }
    }
}

/// The same reference, which the compiler cannot see through. Or it would hoist every broadcast round key out of the
/// loops and, short of registers, keep them all on the stack: slower, and nobody would wipe them.
#[expect(clippy::pointers_in_nomem_asm_block, reason = "nothing is read or written through it there")]
#[inline(always)]
pub(super) fn opaque<T>(reference: &T) -> &T {
    let mut pointer: *const T = reference;
    // SAFETY: no instruction at all, so it is the same pointer behind it.
    unsafe {
        asm!("/* {0} */", inout(reg) pointer, options(nomem, nostack, preserves_flags));
        &*pointer
    }
}
