//! The inner loop: a group of registers through all rounds, side by side.
//!
//! XTS encrypts a block P under the tweak T as `AES(P + T) + T`. AES itself begins by adding its first round key k0 and
//! ends by adding its last, kR. So with the **mask** M = T + kR, which is what the tables hold,
//!
//! ```text
//! P + T + k0  =  P + M + (k0 + kR)       one three-way exclusive or
//! last round with M as its key           adds kR and T at once
//! ```
//!
//! and whitening costs one instruction a register. Decryption is the same with the inverse cipher's keys.
//!
//! An AES round takes four cycles, and two may start in each: at least eight registers have to be in flight. They are
//! pinned after every round, or the compiler would finish one register before it begins the next, and the processor's
//! window would be full of work that waits. Between the rounds, where the multiplier is idle, the masks of the next slab
//! are made.

use super::memory::{Masks, opaque};
use super::schedule::OneWay;
use super::tweak::Next;
use super::vector::Vector;

/// A direction of the block cipher.
pub(super) trait Way {
    unsafe fn round<V: Vector>(x: V, key: V) -> V;
    unsafe fn last<V: Vector>(x: V, key: V) -> V;
}

/// Encryption.
pub(super) struct Encrypt;
/// Decryption.
pub(super) struct Decrypt;

impl Way for Encrypt {
    #[inline(always)]
    unsafe fn round<V: Vector>(x: V, key: V) -> V {
        // SAFETY: the caller vouches for the processor.
        unsafe { x.encrypt(key) }
    }

    #[inline(always)]
    unsafe fn last<V: Vector>(x: V, key: V) -> V {
        // SAFETY: the caller vouches for the processor.
        unsafe { x.encrypt_last(key) }
    }
}

impl Way for Decrypt {
    #[inline(always)]
    unsafe fn round<V: Vector>(x: V, key: V) -> V {
        // SAFETY: the caller vouches for the processor.
        unsafe { x.decrypt(key) }
    }

    #[inline(always)]
    unsafe fn last<V: Vector>(x: V, key: V) -> V {
        // SAFETY: the caller vouches for the processor.
        unsafe { x.decrypt_last(key) }
    }
}

/// Rounds after which masks of the next slab are made: fewer than AES-128 has in its middle.
const MASK_ROUNDS: usize = 8;

/// `G` registers from `from` to `to`, the first of which is register `first` of the slab whose masks are `now`; the same
/// registers' masks of the next slab go to `then`.
#[inline(always)]
pub(super) unsafe fn group<V: Vector, W: Way, N: Next<V>, const G: usize, const R: usize>(
    keys: &OneWay,
    first: usize,
    (from, to, stream): (*const u8, *mut u8, bool),
    now: &Masks,
    (next, then): (&N, &mut Masks),
) {
    // SAFETY: the caller vouches for `G` registers at `from`, at `to` and in the slabs, and for the processor.
    unsafe {
        let keys = opaque(keys);
        let enter = V::broadcast(&keys.enter);
        let next = next.ready(first, G);
        let mut x = [enter; G];
        for (i, x) in x.iter_mut().enumerate() {
            *x = V::load(from.add(i * V::BYTES)).xor3(now.get(first + i), enter);
        }
        macro_rules! rounds {
            ($($round:literal)*) => {$(
                if $round < R {
                    one_round::<V, W, G>(&mut x, V::broadcast(&keys.rounds[$round]));
                    if $round <= MASK_ROUNDS {
                        for i in ($round - 1) * (G / MASK_ROUNDS)..$round * (G / MASK_ROUNDS) {
                            then.set(first + i, N::mask(&next, first + i, now).pin());
                        }
                    }
                }
            )*};
        }
        // Written out, since the compiler does not unroll as much by itself.
        rounds!(1 2 3 4 5 6 7 8 9 10 11 12 13);
        for (i, x) in x.iter_mut().enumerate() {
            *x = W::last(*x, now.get(first + i));
        }
        for (i, x) in x.into_iter().enumerate() {
            if stream { x.stream(to.add(i * V::BYTES)) } else { x.store(to.add(i * V::BYTES)) }
        }
    }
}

#[inline(always)]
unsafe fn one_round<V: Vector, W: Way, const G: usize>(x: &mut [V; G], key: V) {
    for x in x {
        // SAFETY: the caller vouches for the processor.
        *x = unsafe { W::round(*x, key).pin() };
    }
}
