//! The ceiling: the kernel's registers, rounds, loads and stores without tweaks. This is AES-ECB, which must never touch
//! anybody's data; benchmarks divide by its speed.

use super::kernel::Way;
use super::memory::SLAB;
use super::schedule::OneWay;
use super::vector::Vector;

/// Every block of `len` bytes at `at` through the block cipher, in place, `G` registers at a time.
///
/// # Safety
/// `len` is a multiple of [`SLAB`], the bytes are there, and the processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn run<V: Vector, W: Way, const G: usize, const R: usize>(keys: &OneWay, at: *mut u8, len: usize) {
    for group in (0..len).step_by(G * V::BYTES) {
        // SAFETY: a slab is a multiple of `G` registers; the caller vouches for the bytes and for the processor.
        unsafe {
            let at = at.add(group);
            let key = V::broadcast(&keys.rounds[0]);
            let mut x = [key; G];
            for (i, x) in x.iter_mut().enumerate() {
                *x = V::load(at.add(i * V::BYTES)).xor(key);
            }
            for key in &keys.rounds[1..R] {
                let key = V::broadcast(key);
                for x in &mut x {
                    *x = W::round(*x, key).pin();
                }
            }
            let key = V::broadcast(&keys.rounds[R]);
            for (i, x) in x.into_iter().enumerate() {
                W::last(x, key).store(at.add(i * V::BYTES));
            }
        }
    }
}

const _: () = assert!(SLAB.is_multiple_of(16 * 64));
