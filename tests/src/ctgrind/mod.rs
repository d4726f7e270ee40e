//! Tells valgrind's memcheck which bytes are secret, by calling them undefined (the method of Adam Langley's ctgrind,
//! 2010): memcheck then reports every branch and every memory address that depends on them.
//!
//! A client request is an instruction sequence that does nothing on a processor and that valgrind recognises
//! (`valgrind.h` and `memcheck.h` of valgrind 3.19).

#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "valgrind has no other interface"))]

/// `VG_USERREQ__RUNNING_ON_VALGRIND`.
const RUNNING_ON_VALGRIND: u64 = 0x1001;

/// `VG_USERREQ__MAKE_MEM_UNDEFINED`: the first request after the base of the tool `MC`.
const MAKE_MEM_UNDEFINED: u64 = ((b'M' as u64) << 24 | (b'C' as u64) << 16) + 1;

/// Whether the program runs under valgrind.
#[must_use]
pub fn is_under_valgrind() -> bool {
    request(RUNNING_ON_VALGRIND, &[]) != 0
}

/// Tells memcheck to take every bit of `bytes` as undefined, without changing any.
pub fn undefined(bytes: &[u8]) {
    request(MAKE_MEM_UNDEFINED, bytes);
}

/// One client request about `bytes`; its answer, or 0 outside of valgrind.
#[cfg(target_arch = "x86_64")]
fn request(number: u64, bytes: &[u8]) -> u64 {
    let arguments = [number, bytes.as_ptr().addr() as u64, bytes.len() as u64, 0, 0, 0];
    let answer: u64;
    // SAFETY: the four rotations turn `rdi` by 128 bits, so it keeps its value, and `xchg rbx, rbx` does nothing. Under
    // valgrind the sequence reads the six arguments behind `rax`, answers in `rdx`, and changes only valgrind's notes
    // about the bytes. Only the flags change besides, and they are not promised to be kept.
    unsafe {
        std::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") arguments.as_ptr(),
            inout("rdx") 0_u64 => answer,
            options(nostack),
        );
    }
    answer
}

/// Client requests are written for one architecture.
#[cfg(not(target_arch = "x86_64"))]
fn request(_number: u64, _bytes: &[u8]) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_changes_no_byte() {
        let bytes = *b"a secret";
        undefined(&bytes);
        assert_eq!(&bytes, b"a secret");
    }
}
