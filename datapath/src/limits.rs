//! Every limit of the data path in one place; those that depend on each other are checked when the program is built.

use keywrap::geometry::SectorSize;

use crate::buf::ALIGN;

/// Longest read or write in one request, in bytes: what NBD servers commonly advertise as their maximum block size.
pub const MAX_TRANSFER: u32 = 32 << 20;

/// Bytes of one volume that may be with its backend at a time. More work waits in order of arrival.
pub const MAX_IN_FLIGHT: u64 = 256 << 20;

/// Bytes that a WRITE_ZEROES encrypts and writes at a time: the memory that zeroing a range of any length costs.
pub const ZERO_CHUNK: u32 = 1 << 20;

/// Threads of a blocking backend: operations that can wait for the medium at the same time.
pub const BLOCKING_WORKERS: usize = 8;

/// 128-bit blocks that one XTS data unit may have (NIST SP 800-38E, section 4).
pub const MAX_UNIT_BLOCKS: u32 = 1 << 20;

/// The largest data unit there is, in bytes.
const LARGEST_UNIT: u32 = SectorSize::B4096.bytes();

const _: () = {
    assert!(LARGEST_UNIT / 16 <= MAX_UNIT_BLOCKS);
    assert!(MAX_TRANSFER.is_multiple_of(LARGEST_UNIT));
    assert!(ZERO_CHUNK.is_multiple_of(LARGEST_UNIT) && ZERO_CHUNK <= MAX_TRANSFER);
    // The longest request is admitted even when it is unaligned and grows by a sector at each end.
    assert!((MAX_TRANSFER + 2 * LARGEST_UNIT) as u64 <= MAX_IN_FLIGHT);
    // One worker more than can wait for another: a backend may be dropped on one of its own threads.
    assert!(BLOCKING_WORKERS >= 2);
    assert!((LARGEST_UNIT as usize).is_multiple_of(ALIGN) || ALIGN >= LARGEST_UNIT as usize);
};

/// A length that a limit above has bounded, as the length of something in memory.
#[expect(clippy::cast_possible_truncation, reason = "the data path runs on 64-bit machines only, asserted here")]
pub(crate) const fn in_memory(len: u64) -> usize {
    const { assert!(usize::BITS == 64) };
    len as usize
}
