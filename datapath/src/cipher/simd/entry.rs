//! Where the processor's features begin: the functions that everything generic is inlined into, one for each engine and
//! direction.

use super::ecb;
use super::kernel::{Decrypt, Encrypt};
use super::registers::{Xmm, Ymm, Zmm};
use super::run::{self, Job};
use super::schedule::{OneWay, Schedule};
use super::unit;
use crate::cipher::engine::Direction;

macro_rules! entries {
    ($width:ident, $vector:ty, $group:literal, $features:literal) => {
        pub(super) mod $width {
            use super::*;

            /// [`run::run`] in either direction.
            ///
            /// # Safety
            /// As [`run::run`]; the processor has the features above.
            pub(in crate::cipher::simd) unsafe fn run<const R: usize>(schedule: &Schedule, way: Direction, job: Job) {
                // SAFETY: the same contract.
                unsafe {
                    match way {
                        Direction::Encrypt => encrypt::<R>(schedule, job),
                        Direction::Decrypt => decrypt::<R>(schedule, job),
                    }
                }
            }

            /// [`ecb::run`] in either direction.
            ///
            /// # Safety
            /// As [`ecb::run`]; the processor has the features above.
            pub(in crate::cipher::simd) unsafe fn ecb<const R: usize>(
                schedule: &Schedule,
                way: Direction,
                at: *mut u8,
                len: usize,
            ) {
                // SAFETY: the same contract.
                unsafe {
                    match way {
                        Direction::Encrypt => ecb_encrypt::<R>(&schedule.encrypt, at, len),
                        Direction::Decrypt => ecb_decrypt::<R>(&schedule.decrypt, at, len),
                    }
                }
            }

            /// [`unit::unit`] in either direction.
            ///
            /// # Safety
            /// The processor has the features above.
            pub(in crate::cipher::simd) unsafe fn unit<const R: usize>(
                schedule: &Schedule,
                way: Direction,
                data: &mut [u8],
                tweak: u128,
            ) {
                // SAFETY: the same contract.
                unsafe {
                    match way {
                        Direction::Encrypt => unit_encrypt::<R>(schedule, data, tweak),
                        Direction::Decrypt => unit_decrypt::<R>(schedule, data, tweak),
                    }
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn unit_encrypt<const R: usize>(schedule: &Schedule, data: &mut [u8], tweak: u128) {
                let (keys, how) = ((schedule, &schedule.encrypt), (Direction::Encrypt, tweak));
                // SAFETY: the same contract.
                unsafe { unit::unit::<$vector, Encrypt, $group, R>(keys, data, how) }
            }

            #[target_feature(enable = $features)]
            unsafe fn unit_decrypt<const R: usize>(schedule: &Schedule, data: &mut [u8], tweak: u128) {
                let (keys, how) = ((schedule, &schedule.decrypt), (Direction::Decrypt, tweak));
                // SAFETY: the same contract.
                unsafe { unit::unit::<$vector, Decrypt, $group, R>(keys, data, how) }
            }

            #[target_feature(enable = $features)]
            unsafe fn ecb_encrypt<const R: usize>(keys: &OneWay, at: *mut u8, len: usize) {
                // SAFETY: the same contract.
                unsafe { ecb::run::<$vector, Encrypt, $group, R>(keys, at, len) }
            }

            #[target_feature(enable = $features)]
            unsafe fn ecb_decrypt<const R: usize>(keys: &OneWay, at: *mut u8, len: usize) {
                // SAFETY: the same contract.
                unsafe { ecb::run::<$vector, Decrypt, $group, R>(keys, at, len) }
            }

            #[target_feature(enable = $features)]
            unsafe fn encrypt<const R: usize>(schedule: &Schedule, job: Job) {
                // SAFETY: the same contract.
                unsafe { run::run::<$vector, Encrypt, $group, R>(schedule, &schedule.encrypt, job) }
            }

            #[target_feature(enable = $features)]
            unsafe fn decrypt<const R: usize>(schedule: &Schedule, job: Job) {
                // SAFETY: the same contract.
                unsafe { run::run::<$vector, Decrypt, $group, R>(schedule, &schedule.decrypt, job) }
            }
        }
    };
}

entries!(zmm, Zmm, 16, "aes,pclmulqdq,avx2,vaes,vpclmulqdq,avx512f,avx512bw");
entries!(ymm, Ymm, 8, "aes,pclmulqdq,avx2,vaes,vpclmulqdq");
entries!(xmm, Xmm, 8, "aes,pclmulqdq,avx2");
