//! A run of data units, slab by slab.

use std::arch::x86_64::{_MM_HINT_NTA, _MM_HINT_T0, _mm_prefetch, _mm_sfence};
use std::mem;

use super::firsts::{Firsts, Room};
use super::kernel::{Way, group};
use super::memory::{Masks, SLAB, SLAB_BLOCKS};
use super::schedule::{OneWay, Schedule};

use super::tweak::{Next, Nothing, Onward, Units};
use super::vector::Vector;

/// What is to be done.
#[derive(Clone, Copy)]
pub(super) struct Job {
    /// The source.
    pub(super) from: *const u8,
    /// The destination.
    pub(super) to: *mut u8,
    /// Bytes at both; a multiple of a unit, and not zero.
    pub(super) len: usize,
    /// A data unit has 2^9 to 2^12 bytes.
    pub(super) unit_shift: u32,
    /// The first unit's number, in sectors of 2^9 bytes.
    pub(super) tweak: u64,
    /// Ask for the source ahead of time.
    pub(super) prefetch: bool,
    /// Write past the caches; `to` is then a multiple of 64.
    pub(super) stream: bool,
}

/// How far ahead the source is asked for, in bytes: about the time that memory takes to answer.
const AHEAD: usize = 8 << 10;

const SLAB_SHIFT: u32 = SLAB.trailing_zeros();
/// Numbers of data units count sectors of 2^9 bytes, whatever the unit.
const SECTOR_SHIFT: u32 = 9;

/// Groups of registers at the end of a run, where only half a slab may be left.
const HALF_GROUP: usize = 8;

/// Does the job, `G` registers at a time.
///
/// # Safety
/// `job` has `len` readable bytes at `from` and `len` writable ones at `to`, which are the same or do not overlap, and
/// the processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn run<V: Vector, W: Way, const G: usize, const R: usize>(
    schedule: &Schedule,
    keys: &OneWay,
    job: Job,
) {
    let halves = job.unit_shift < SLAB_SHIFT;
    let slabs_in_unit = (1_usize << job.unit_shift) >> SLAB_SHIFT;
    let (mut room, mut masks) = (Room::uninit(), [Masks::uninit(), Masks::uninit()]);
    let [mut now, mut then] = masks.each_mut();
    let (mut from, mut to, mut left) = (job.from, job.to, job.len);
    // SAFETY: the loop takes one slab after the other of the `len` bytes, the last perhaps half.
    unsafe {
        let units = job.len >> job.unit_shift;
        let mut firsts = Firsts::new::<V, R>((schedule, &mut room), job.tweak, job.unit_shift - SECTOR_SHIFT, units);
        if halves {
            fill::<V, _>(now, &Units::<true> { keys, first: firsts.take::<V, R>(2) });
        } else {
            fill::<V, _>(now, &Units::<false> { keys, first: firsts.take::<V, R>(1) });
        }
        loop {
            // All slabs of a unit but its last go on with the same unit.
            for _ in 1..slabs_in_unit {
                if job.prefetch {
                    prefetch(from.wrapping_add(AHEAD), job.stream);
                }
                one_slab::<V, W, _, G, R>(keys, (from, to, job.stream), now, (&Onward(keys), then));
                mem::swap(&mut now, &mut then);
                (from, to, left) = (from.add(SLAB), to.add(SLAB), left - SLAB);
            }
            if left <= SLAB {
                break;
            }
            if job.prefetch {
                prefetch(from.wrapping_add(AHEAD), job.stream);
            }
            let io = (from, to, job.stream);
            if halves {
                let first = firsts.take::<V, R>(2);
                one_slab::<V, W, _, G, R>(keys, io, now, (&Units::<true> { keys, first }, then));
            } else {
                let first = firsts.take::<V, R>(1);
                one_slab::<V, W, _, G, R>(keys, io, now, (&Units::<false> { keys, first }, then));
            }
            mem::swap(&mut now, &mut then);
            (from, to, left) = (from.add(SLAB), to.add(SLAB), left - SLAB);
        }
        firsts.wipe::<V>();
        let io = (from, to, job.stream);
        if left == SLAB {
            one_slab::<V, W, _, G, R>(keys, io, now, (&Nothing, then));
        } else {
            let half = SLAB_BLOCKS / V::BLOCKS / 2;
            groups::<V, W, _, HALF_GROUP, R>(keys, half, io, now, (&Nothing, then));
            then.wipe::<V>(half..2 * half);
        }
        if job.stream {
            _mm_sfence();
        }
        now.wipe::<V>(0..SLAB_BLOCKS / V::BLOCKS);
        V::clear_registers();
    }
}

/// Makes the masks of a first slab.
///
/// # Safety
/// The processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn fill<V: Vector, N: Next<V>>(masks: &mut Masks, next: &N) {
    let registers = SLAB_BLOCKS / V::BLOCKS;
    // SAFETY: these are a slab's registers; the caller vouches for the processor.
    unsafe {
        let ready = next.ready(0, registers);
        for r in 0..registers {
            masks.set(r, N::mask(&ready, r, masks));
        }
    }
}

/// A slab from the first address to the second.
///
/// # Safety
/// The slab is there at both, its masks are made, and the processor has the instructions of `V`.
#[inline(always)]
pub(super) unsafe fn one_slab<V: Vector, W: Way, N: Next<V>, const G: usize, const R: usize>(
    keys: &OneWay,
    io: (*const u8, *mut u8, bool),
    now: &Masks,
    next: (&N, &mut Masks),
) {
    // SAFETY: the caller vouches for a slab at both addresses and for the processor.
    unsafe { groups::<V, W, N, G, R>(keys, SLAB_BLOCKS / V::BLOCKS, io, now, next) }
}

/// The first `registers` of a slab, a multiple of `G`.
#[inline(always)]
unsafe fn groups<V: Vector, W: Way, N: Next<V>, const G: usize, const R: usize>(
    keys: &OneWay,
    registers: usize,
    (from, to, stream): (*const u8, *mut u8, bool),
    now: &Masks,
    (next, then): (&N, &mut Masks),
) {
    for first in (0..registers).step_by(G) {
        // SAFETY: the caller vouches for the registers' bytes at both addresses and for the processor.
        unsafe {
            let io = (from.add(first * V::BYTES), to.add(first * V::BYTES), stream);
            group::<V, W, N, G, R>(keys, first, io, now, (next, then));
        }
    }
}

/// Asks for the lines of a slab; only into the nearest cache when the result will `stream`. An address that is not
/// there is no error.
#[inline(always)]
unsafe fn prefetch(from: *const u8, stream: bool) {
    for line in 0..SLAB / 64 {
        let line = from.wrapping_add(64 * line).cast();
        // SAFETY: a hint reads nothing that anyone can see.
        unsafe { if stream { _mm_prefetch::<_MM_HINT_NTA>(line) } else { _mm_prefetch::<_MM_HINT_T0>(line) } }
    }
}
