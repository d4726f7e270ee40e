//! Every limit of the data path in one place; those that depend on each other are checked when the program is built.

use keywrap::geometry::SectorSize;

use crate::buf::ALIGN;
use crate::buf::arena::MAX_CHUNK;

/// Longest read or write in one request, in bytes: what NBD servers commonly advertise as their maximum block size.
pub const MAX_TRANSFER: u32 = 32 << 20;

/// Threads that do for a server what is too rare or too long for a ring's thread.
pub const BLOCKING_WORKERS: usize = 4;

/// 128-bit blocks that one XTS data unit may have (NIST SP 800-38E, section 4).
pub const MAX_UNIT_BLOCKS: u32 = 1 << 20;

/// The largest data unit there is, in bytes.
const LARGEST_UNIT: u32 = SectorSize::B4096.bytes();

const _: () = {
    assert!(LARGEST_UNIT / 16 <= MAX_UNIT_BLOCKS);
    assert!(MAX_TRANSFER.is_multiple_of(LARGEST_UNIT));
    assert!(MAX_CHUNK.is_multiple_of(LARGEST_UNIT as usize) && MAX_CHUNK <= MAX_TRANSFER as usize);
    assert!((LARGEST_UNIT as usize).is_multiple_of(ALIGN) || ALIGN >= LARGEST_UNIT as usize);
};

/// A length that a limit above has bounded, as the length of something in memory.
#[expect(clippy::cast_possible_truncation, reason = "the data path runs on 64-bit machines only, asserted here")]
pub(crate) const fn in_memory(len: u64) -> usize {
    const { assert!(usize::BITS == 64) };
    len as usize
}
