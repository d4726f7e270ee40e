//! Memory where a buffer can be put at any alignment, with guards on both sides.

use std::ops::Range;

/// What the guards, and destinations before a call, are filled with.
const FILL: u8 = 0xc5;
/// Bytes of a guard: more than engines handle in one go.
const GUARD: usize = 1024 + 64;
/// Alignments repeat after a cache line, which is also the widest register.
pub(crate) const ALIGNMENTS: usize = 64;

/// Room for one guarded buffer.
pub(crate) struct Arena {
    bytes: Vec<u8>,
    buffer: Range<usize>,
}

impl Arena {
    /// Room for buffers of up to `capacity` bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { bytes: vec![0; capacity + 2 * GUARD + ALIGNMENTS], buffer: GUARD..GUARD }
    }

    /// A buffer of `len` bytes whose address is `alignment` more than a multiple of [`ALIGNMENTS`].
    pub(crate) fn place(&mut self, alignment: usize, len: usize) -> &mut [u8] {
        let address = self.bytes.as_ptr().addr() + GUARD;
        let start = GUARD + (ALIGNMENTS + alignment - address % ALIGNMENTS) % ALIGNMENTS;
        self.buffer = start..start + len;
        self.bytes[start - GUARD..start + len + GUARD].fill(FILL);
        self.buffer()
    }

    /// A buffer that holds `content`.
    pub(crate) fn put(&mut self, alignment: usize, content: &[u8]) -> &mut [u8] {
        let buffer = self.place(alignment, content.len());
        buffer.copy_from_slice(content);
        buffer
    }

    /// The buffer placed last.
    pub(crate) fn buffer(&mut self) -> &mut [u8] {
        &mut self.bytes[self.buffer.clone()]
    }

    /// Whether nothing was written around the buffer.
    pub(crate) fn guards_are_intact(&self) -> bool {
        let Range { start, end } = self.buffer;
        self.bytes[start - GUARD..start] == [FILL; GUARD] && self.bytes[end..end + GUARD] == [FILL; GUARD]
    }
}

#[test]
fn a_buffer_lies_where_it_was_asked_for_and_a_byte_written_beside_it_is_noticed() {
    let mut arena = Arena::new(100);
    for alignment in 0..ALIGNMENTS {
        assert_eq!(arena.put(alignment, &[1; 100]).as_ptr().addr() % ALIGNMENTS, alignment);
        assert!(arena.guards_are_intact());
        let Range { start, end } = arena.buffer;
        for beside in [start - GUARD, start - 1, end, end + GUARD - 1] {
            arena.bytes[beside] ^= 1;
            assert!(!arena.guards_are_intact());
            arena.bytes[beside] ^= 1;
        }
    }
}
