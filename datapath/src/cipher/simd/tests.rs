//! What no test from outside can see: that nothing is left in the vector registers.

use std::arch::asm;

use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;

use super::engine::engine;
use super::token::{Token, Width};
use crate::cipher::engine::{Buffers, Direction, Units};
use crate::cipher::features::{Feature, Features};

/// Bytes of all thirty-two registers of 512 bits.
const REGISTERS: usize = 32 * 64;

macro_rules! store {
    ($to:ident: $($register:literal)*) => {
        asm!(
            $(concat!("vmovdqu64 [{0} + 64 * ", $register, "], zmm", $register),)*
            in(reg) $to.as_mut_ptr(),
            options(nostack, preserves_flags),
        )
    };
}

/// The vector registers as they are.
#[target_feature(enable = "avx512f")]
fn registers(to: &mut [u8; REGISTERS]) {
    // SAFETY: `to` has room for all registers.
    unsafe {
        store!(to: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31);
    }
}

/// Those that an engine has: without AVX-512 the first sixteen. In the others is what the C library left there.
fn used(token: Token, registers: &[u8; REGISTERS]) -> &[u8] {
    let count = if token.width() == Width::Zmm { 32 } else { 16 };
    &registers[..count * 64]
}

#[test]
fn an_engine_leaves_its_vector_registers_zeroed() {
    let features = Features::detect();
    if !features.have(&[Feature::Avx512f]) {
        println!("skipped: only AVX-512 can show all vector registers");
        return;
    }
    let key = VolumeKey::random().unwrap();
    for token in Width::ALL.into_iter().filter_map(|width| Token::new(width, features)) {
        let engine = engine(&key, token);
        for len in [512, 4096, 9 << 10, 256 << 10] {
            let (mut data, mut left) = (vec![0x5a; len], [0; REGISTERS]);
            let units = Units { size: SectorSize::B512, first_tweak: 7, transfer: len };
            engine.run(Direction::Encrypt, Buffers::InPlace(&mut data), units);
            // SAFETY: the processor has AVX-512.
            unsafe { registers(&mut left) };
            assert!(used(token, &left).iter().all(|&byte| byte == 0), "{token:?} leaves something behind {len} bytes");
        }
        let (mut data, mut left) = (vec![0x5a; 1000], [0; REGISTERS]);
        engine.unit(Direction::Decrypt, &mut data, 7);
        // SAFETY: the processor has AVX-512.
        unsafe { registers(&mut left) };
        assert!(used(token, &left).iter().all(|&byte| byte == 0), "{token:?} leaves something behind a single unit");
    }
}
