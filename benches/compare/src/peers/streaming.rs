//! What a copy past the caches reaches: the widest streaming stores that the processor has, and the source asked for
//! ahead of time.

use std::arch::x86_64::{_MM_HINT_NTA, _mm_prefetch, _mm_sfence, _mm512_loadu_si512, _mm512_stream_si512};

/// Bytes of a cache line and of a register.
const LINE: usize = 64;
/// How far ahead the source is asked for, in bytes.
const AHEAD: usize = 8 << 10;

/// Copies `from` to `to`; `None` if this processor has no such registers, or the buffers are not aligned lines of one
/// length.
pub(crate) fn copy(from: &[u8], to: &mut [u8]) -> Option<()> {
    let aligned = to.is_empty() || to.as_ptr().addr().is_multiple_of(LINE) && to.len().is_multiple_of(LINE);
    if !is_x86_feature_detected!("avx512f") || !aligned || from.len() != to.len() {
        return None;
    }
    // SAFETY: the processor has AVX-512, and both buffers are as many whole lines.
    unsafe { lines(from.as_ptr(), to.as_mut_ptr(), to.len()) };
    Some(())
}

/// # Safety
/// `len` is a multiple of a line, there are as many bytes at both addresses, and `to` is aligned to a line.
#[target_feature(enable = "avx512f")]
unsafe fn lines(from: *const u8, to: *mut u8, len: usize) {
    for at in (0..len).step_by(LINE) {
        // SAFETY: the line is inside of both buffers; a prefetch of what is not there is no error.
        unsafe {
            _mm_prefetch::<_MM_HINT_NTA>(from.wrapping_add(at + AHEAD).cast());
            _mm512_stream_si512(to.add(at).cast(), _mm512_loadu_si512(from.add(at).cast()));
        }
    }
    _mm_sfence();
}

#[cfg(test)]
mod tests {
    use datapath::buf::Buf;

    use super::*;

    #[test]
    fn every_byte_is_copied() {
        let from: Vec<u8> = (0..=u8::MAX).cycle().take(8192).collect();
        let mut to = Buf::zeroed(from.len());
        if copy(&from, to.as_mut_slice()).is_some() {
            assert_eq!(to.as_slice(), from);
        }
    }
}
