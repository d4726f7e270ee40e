//! [`Vector`] for the three widths of register.

use std::arch::asm;
use std::arch::x86_64::*;

use super::vector::Vector;

/// Implements [`Vector`] with the intrinsics of one width; what differs between the widths by more than a name is a
/// function given by name.
macro_rules! vector {
    (
        $(#[$doc:meta])*
        $name:ident($raw:ty), $blocks:literal blocks, in $class:ident of $pin_features:literal;
        $($method:ident => $intrinsic:path,)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        pub(super) struct $name($raw);

        impl Vector for $name {
            const BLOCKS: usize = $blocks;

            $(vector!(@method $method $intrinsic);)*

            #[inline(always)]
            unsafe fn pin(self) -> Self {
                #[inline]
                #[target_feature(enable = $pin_features)]
                fn pin(mut x: $raw) -> $raw {
                    // SAFETY: no instruction at all.
                    unsafe { asm!("/* {0} */", inout($class) x, options(nomem, nostack, preserves_flags)) };
                    x
                }
                // SAFETY: the caller vouches for the processor.
                unsafe { Self(pin(self.0)) }
            }
        }
    };
    (@method load $intrinsic:path) => {
        #[inline(always)]
        unsafe fn load(from: *const u8) -> Self {
            // SAFETY: the caller vouches for `from` and for the processor.
            unsafe { Self($intrinsic(from.cast())) }
        }
    };
    (@method store $intrinsic:path) => { vector!(@write store $intrinsic); };
    (@method stream $intrinsic:path) => { vector!(@write stream $intrinsic); };
    (@write $method:ident $intrinsic:path) => {
        #[inline(always)]
        unsafe fn $method(self, to: *mut u8) {
            // SAFETY: the caller vouches for `to`, for its alignment when streaming, and for the processor.
            unsafe { $intrinsic(to.cast(), self.0) }
        }
    };
    (@method broadcast $intrinsic:path) => {
        #[inline(always)]
        unsafe fn broadcast(block: *const [u8; 16]) -> Self {
            // SAFETY: the caller vouches for `block` and for the processor.
            unsafe { Self($intrinsic(_mm_loadu_si128(block.cast()))) }
        }

        #[inline(always)]
        unsafe fn number(n: u64) -> Self {
            // SAFETY: the caller vouches for the processor.
            unsafe { Self($intrinsic(_mm_cvtsi64_si128(n.cast_signed()))) }
        }
    };
    (@method counts $intrinsic:path) => {
        #[inline(always)]
        unsafe fn counts(n: u64) -> Self {
            // SAFETY: the caller vouches for the processor.
            unsafe { Self($intrinsic(n.cast_signed())) }
        }
    };
    (@method times_x64 $function:path) => { vector!(@two times_x64 $function); };
    (@method swap_halves $function:path) => { vector!(@one swap_halves $function); };
    (@method times_86 $function:path) => { vector!(@one times_86 $function); };
    (@one $method:ident $function:path) => {
        #[inline(always)]
        unsafe fn $method(self) -> Self {
            // SAFETY: the caller vouches for the processor.
            unsafe { Self($function(self.0)) }
        }
    };
    (@method xor3 $function:path) => {
        #[inline(always)]
        unsafe fn xor3(self, b: Self, c: Self) -> Self {
            // SAFETY: the caller vouches for the processor.
            unsafe { Self($function(self.0, b.0, c.0)) }
        }
    };
    (@method clear_registers $function:path) => {
        #[inline(always)]
        unsafe fn clear_registers() {
            // SAFETY: the caller vouches for the processor.
            unsafe { $function() }
        }
    };
    (@method $method:ident $intrinsic:path) => { vector!(@two $method $intrinsic); };
    (@two $method:ident $intrinsic:path) => {
        #[inline(always)]
        unsafe fn $method(self, b: Self) -> Self {
            // SAFETY: the caller vouches for the processor.
            unsafe { Self($intrinsic(self.0, b.0)) }
        }
    };
}

vector! {
    /// 512 bits: four blocks, in one of thirty-two registers.
    Zmm(__m512i), 4 blocks, in zmm_reg of "avx512f";
    load => _mm512_loadu_si512,
    store => _mm512_storeu_si512,
    stream => _mm512_stream_si512,
    broadcast => _mm512_broadcast_i32x4,
    counts => _mm512_set1_epi64,
    add => _mm512_add_epi64,
    xor => _mm512_xor_si512,
    xor3 => xor3_512,
    shift_left => _mm512_sllv_epi64,
    shift_right => _mm512_srlv_epi64,
    swap_halves => swap_512,
    times_86 => times_86_512,
    times_x64 => times_x64_512,
    encrypt => _mm512_aesenc_epi128,
    encrypt_last => _mm512_aesenclast_epi128,
    decrypt => _mm512_aesdec_epi128,
    decrypt_last => _mm512_aesdeclast_epi128,
    clear_registers => clear_512,
}

vector! {
    /// 256 bits: two blocks, in one of sixteen registers.
    Ymm(__m256i), 2 blocks, in ymm_reg of "avx2";
    load => _mm256_loadu_si256,
    store => _mm256_storeu_si256,
    stream => _mm256_stream_si256,
    broadcast => _mm256_broadcastsi128_si256,
    counts => _mm256_set1_epi64x,
    add => _mm256_add_epi64,
    xor => _mm256_xor_si256,
    xor3 => xor3_256,
    shift_left => _mm256_sllv_epi64,
    shift_right => _mm256_srlv_epi64,
    swap_halves => swap_256,
    times_86 => times_86_256,
    times_x64 => times_x64_256,
    encrypt => _mm256_aesenc_epi128,
    encrypt_last => _mm256_aesenclast_epi128,
    decrypt => _mm256_aesdec_epi128,
    decrypt_last => _mm256_aesdeclast_epi128,
    clear_registers => clear_256,
}

vector! {
    /// 128 bits: one block, in one of sixteen registers.
    Xmm(__m128i), 1 blocks, in xmm_reg of "avx2";
    load => _mm_loadu_si128,
    store => _mm_storeu_si128,
    stream => _mm_stream_si128,
    broadcast => std::convert::identity,
    counts => _mm_set1_epi64x,
    add => _mm_add_epi64,
    xor => _mm_xor_si128,
    xor3 => xor3_128,
    shift_left => _mm_sllv_epi64,
    shift_right => _mm_srlv_epi64,
    swap_halves => swap_128,
    times_86 => times_86_128,
    times_x64 => times_x64_128,
    encrypt => _mm_aesenc_si128,
    encrypt_last => _mm_aesenclast_si128,
    decrypt => _mm_aesdec_si128,
    decrypt_last => _mm_aesdeclast_si128,
    clear_registers => clear_256,
}

/// a + b + c; the number is the truth table of that.
#[inline]
#[target_feature(enable = "avx512f")]
fn xor3_512(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0x96>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f,vpclmulqdq")]
fn times_86_512(a: __m512i) -> __m512i {
    _mm512_clmulepi64_epi128::<0x00>(a, _mm512_set1_epi64(0x86))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,vpclmulqdq")]
fn times_x64_512(t: __m512i, c: __m512i) -> __m512i {
    let moved = _mm512_bslli_epi128::<8>(t);
    xor3_512(moved, _mm512_clmulepi64_epi128::<0x01>(t, _mm512_set1_epi64(0x87)), c)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn swap_512(a: __m512i) -> __m512i {
    _mm512_shuffle_epi32::<0x4e>(a)
}

/// The same for the registers that lack a three-way exclusive or.
macro_rules! narrow {
    (
        $raw:ty, $features:literal: $times_86:ident $times_x64:ident $xor3:ident $swap:ident;
        $xor:ident $shuffle:ident $multiply:ident $same:ident
    ) => {
        #[inline]
        #[target_feature(enable = $features)]
        fn $xor3(a: $raw, b: $raw, c: $raw) -> $raw {
            $xor($xor(a, b), c)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn $swap(a: $raw) -> $raw {
            $shuffle::<0x4e>(a)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn $times_86(a: $raw) -> $raw {
            $multiply::<0x00>(a, $same(0x86))
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn $times_x64(t: $raw, c: $raw) -> $raw {
            $xor3($swap(t), $multiply::<0x01>(t, $same(0x86)), c)
        }
    };
}

narrow! {
    __m256i, "avx2,vpclmulqdq": times_86_256 times_x64_256 xor3_256 swap_256;
    _mm256_xor_si256 _mm256_shuffle_epi32 _mm256_clmulepi64_epi128 _mm256_set1_epi64x
}

narrow! {
    __m128i, "avx2,pclmulqdq": times_86_128 times_x64_128 xor3_128 swap_128;
    _mm_xor_si128 _mm_shuffle_epi32 _mm_clmulepi64_si128 _mm_set1_epi64x
}

/// Zeroes registers 0 to 15, in all their width.
#[inline]
#[target_feature(enable = "avx2")]
fn clear_256() {
    // SAFETY: zeroes registers, and tells the compiler which.
    unsafe {
        asm!(
            "vzeroall",
            out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _, out("ymm5") _, out("ymm6") _,
            out("ymm7") _, out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _, out("ymm12") _,
            out("ymm13") _, out("ymm14") _, out("ymm15") _,
            options(nomem, nostack, preserves_flags),
        );
    }
}

/// Zeroes registers 0 to 31.
#[inline]
#[target_feature(enable = "avx512f")]
fn clear_512() {
    clear_256();
    // SAFETY: zeroes registers, and tells the compiler which.
    unsafe {
        asm!(
            "vpxord zmm16, zmm16, zmm16",
            "vpxord zmm17, zmm17, zmm17",
            "vpxord zmm18, zmm18, zmm18",
            "vpxord zmm19, zmm19, zmm19",
            "vpxord zmm20, zmm20, zmm20",
            "vpxord zmm21, zmm21, zmm21",
            "vpxord zmm22, zmm22, zmm22",
            "vpxord zmm23, zmm23, zmm23",
            "vpxord zmm24, zmm24, zmm24",
            "vpxord zmm25, zmm25, zmm25",
            "vpxord zmm26, zmm26, zmm26",
            "vpxord zmm27, zmm27, zmm27",
            "vpxord zmm28, zmm28, zmm28",
            "vpxord zmm29, zmm29, zmm29",
            "vpxord zmm30, zmm30, zmm30",
            "vpxord zmm31, zmm31, zmm31",
            out("zmm16") _, out("zmm17") _, out("zmm18") _, out("zmm19") _, out("zmm20") _, out("zmm21") _,
            out("zmm22") _, out("zmm23") _, out("zmm24") _, out("zmm25") _, out("zmm26") _, out("zmm27") _,
            out("zmm28") _, out("zmm29") _, out("zmm30") _, out("zmm31") _,
            options(nomem, nostack, preserves_flags),
        );
    }
}
