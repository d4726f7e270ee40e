//! The safe face of the vector engines.

use keywrap::keys::VolumeKey;

use super::entry;
use super::memory::SLAB;
use super::run::Job;
use super::schedule::Schedule;
use super::token::{Token, Width};
use crate::cipher::engine::{Buffers, Direction, Units, Xts};

/// Transfers from which on the source is asked for ahead of time: those that may not be in a near cache.
const PREFETCH_FROM: usize = 128 << 10;
/// Copies from which on the destination is written past the caches: that saves reading it first, and what is in the
/// caches stays there.
const STREAM_COPY_FROM: usize = 8 << 20;
/// The same for work in place, whose lines are in the cache anyway: only where they would not stay there.
const STREAM_IN_PLACE_FROM: usize = 32 << 20;
/// A cache line: the alignment that streaming needs.
const LINE: usize = 64;

/// XTS-AES with `R` rounds: 10 for XTS-AES-128, 14 for XTS-AES-256.
struct Simd<const R: usize> {
    schedule: Box<Schedule>,
    token: Token,
}

/// The vector engine for either key size.
pub(in crate::cipher) fn engine(key: &VolumeKey, token: Token) -> Box<dyn Xts> {
    match key.len() {
        32 => Box::new(Simd::<10> { schedule: Schedule::new::<10>(key, token), token }),
        _ => Box::new(Simd::<14> { schedule: Schedule::new::<14>(key, token), token }),
    }
}

impl<const R: usize> Xts for Simd<R> {
    fn run(&self, direction: Direction, buffers: Buffers<'_>, units: Units) {
        let len = buffers.len();
        let (from, to) = match buffers {
            Buffers::InPlace(data) => in_place(data),
            Buffers::Copy { from, to } => (from.as_ptr(), to.as_mut_ptr()),
        };
        if len == 0 {
            return;
        }
        let stream_from = if from == to.cast_const() { STREAM_IN_PLACE_FROM } else { STREAM_COPY_FROM };
        let job = Job {
            from,
            to,
            len,
            unit_shift: units.size.shift(),
            tweak: units.first_tweak,
            prefetch: units.transfer >= PREFETCH_FROM,
            stream: units.transfer >= stream_from && to.addr().is_multiple_of(LINE),
        };
        // SAFETY: the buffers are the job's, whole units by `Cipher`'s check; the token proves the features.
        unsafe {
            match self.token.width() {
                Width::Zmm => entry::zmm::run::<R>(&self.schedule, direction, job),
                Width::Ymm => entry::ymm::run::<R>(&self.schedule, direction, job),
                Width::Xmm => entry::xmm::run::<R>(&self.schedule, direction, job),
            }
        }
    }

    fn unit(&self, direction: Direction, unit: &mut [u8], tweak: u128) {
        // SAFETY: the token proves the features.
        unsafe {
            match self.token.width() {
                Width::Zmm => entry::zmm::unit::<R>(&self.schedule, direction, unit, tweak),
                Width::Ymm => entry::ymm::unit::<R>(&self.schedule, direction, unit, tweak),
                Width::Xmm => entry::xmm::unit::<R>(&self.schedule, direction, unit, tweak),
            }
        }
    }
}

/// A buffer as source and destination.
pub(super) fn in_place(data: &mut [u8]) -> (*const u8, *mut u8) {
    let at = data.as_mut_ptr();
    (at.cast_const(), at)
}

/// The ceiling of a register width under AES-256, or AES-128 for a shorter key.
pub(in crate::cipher) struct Ecb {
    schedule: Box<Schedule>,
    token: Token,
    rounds: usize,
}

impl Ecb {
    pub(in crate::cipher) fn new(key: &VolumeKey, token: Token) -> Self {
        match key.len() {
            32 => Self { schedule: Schedule::new::<10>(key, token), token, rounds: 10 },
            _ => Self { schedule: Schedule::new::<14>(key, token), token, rounds: 14 },
        }
    }

    /// Every block of `slabs` through the block cipher.
    pub(in crate::cipher) fn run(&self, way: Direction, slabs: &mut [[u8; SLAB]]) {
        let (at, len) = (slabs.as_mut_ptr().cast(), SLAB * slabs.len());
        // SAFETY: the slabs are whole; the token proves the features.
        unsafe {
            match (self.token.width(), self.rounds) {
                (Width::Zmm, 10) => entry::zmm::ecb::<10>(&self.schedule, way, at, len),
                (Width::Zmm, _) => entry::zmm::ecb::<14>(&self.schedule, way, at, len),
                (Width::Ymm, 10) => entry::ymm::ecb::<10>(&self.schedule, way, at, len),
                (Width::Ymm, _) => entry::ymm::ecb::<14>(&self.schedule, way, at, len),
                (Width::Xmm, 10) => entry::xmm::ecb::<10>(&self.schedule, way, at, len),
                (Width::Xmm, _) => entry::xmm::ecb::<14>(&self.schedule, way, at, len),
            }
        }
    }
}
