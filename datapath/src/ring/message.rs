//! What is sent in one piece: short texts and chunks of the arena, in order, without copying the chunks.

use std::io::IoSlice;
use std::ops::Range;

use crate::buf::arena::Chunk;

/// Parts beyond this many wait for the next call (`UIO_MAXIOV` is 1024).
const MAX_PARTS: usize = 512;

/// A queue of bytes to be sent, and how many of them were.
pub struct Message {
    /// The bytes of the short parts, one after the other.
    text: Vec<u8>,
    parts: Vec<Part>,
    len: usize,
    sent: usize,
    vectors: Vec<libc::iovec>,
    header: libc::msghdr,
}

enum Part {
    /// A run of `text`.
    Text(Range<usize>),
    Chunk(Chunk, Range<usize>),
}

impl Default for Message {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            parts: Vec::new(),
            len: 0,
            sent: 0,
            vectors: Vec::new(),
            // SAFETY: a `msghdr` of zeroes is a valid one: no address, no vectors, no control data.
            header: unsafe { std::mem::zeroed() },
        }
    }
}

impl Message {
    /// Adds bytes, copied.
    pub fn text(&mut self, bytes: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        self.len += bytes.len();
        match self.parts.last_mut() {
            Some(Part::Text(last)) => last.end = self.text.len(),
            _ => self.parts.push(Part::Text(start..self.text.len())),
        }
    }

    /// Becomes these bytes, and takes their memory; `bytes` gets what its own memory was, empty.
    pub fn replace(&mut self, bytes: &mut Vec<u8>) {
        self.clear();
        std::mem::swap(&mut self.text, bytes);
        self.len = self.text.len();
        self.parts.push(Part::Text(0..self.len));
    }

    /// Adds a range of a chunk, not copied.
    pub fn chunk(&mut self, chunk: Chunk, range: Range<usize>) {
        debug_assert!(range.end <= chunk.len());
        self.len += range.len();
        self.parts.push(Part::Chunk(chunk, range));
    }

    /// Bytes that are still to be sent.
    #[must_use]
    pub fn left(&self) -> usize {
        self.len - self.sent
    }

    /// Whether nothing is left to be sent.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.left() == 0
    }

    /// Whether it has grown so long that it should be sent before it grows further.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.parts.len() >= MAX_PARTS
    }

    /// Takes note of bytes that were sent.
    pub fn advance(&mut self, sent: usize) {
        self.sent = (self.sent + sent).min(self.len);
    }

    /// Empties it, and gives its chunks back; its own memory is kept for the next time.
    pub fn clear(&mut self) {
        self.text.clear();
        self.parts.clear();
        self.len = 0;
        self.sent = 0;
    }

    /// What is left, as one contiguous run of bytes: for a transport that encrypts it anyway.
    pub fn for_each_left(&self, mut take: impl FnMut(&[u8])) {
        let mut skip = self.sent;
        for part in &self.parts {
            let bytes = self.bytes(part);
            if skip >= bytes.len() {
                skip -= bytes.len();
                continue;
            }
            take(&bytes[skip..]);
            skip = 0;
        }
    }

    /// Builds the arguments of `sendmsg` for what is left. They stay valid until the message is changed or moved out of
    /// its box.
    pub(super) fn arguments(&mut self) -> *const libc::msghdr {
        let mut vectors = std::mem::take(&mut self.vectors);
        vectors.clear();
        let mut push = |bytes: &[u8]| {
            if vectors.len() < MAX_PARTS {
                vectors.push(libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() });
            }
        };
        self.for_each_left(&mut push);
        self.vectors = vectors;
        self.header.msg_iov = self.vectors.as_mut_ptr();
        self.header.msg_iovlen = self.vectors.len();
        &raw const self.header
    }

    /// What is left, for `writev`.
    pub(super) fn slices(&self) -> Vec<IoSlice<'_>> {
        let mut slices = Vec::with_capacity(self.parts.len().min(MAX_PARTS));
        let mut skip = self.sent;
        for part in &self.parts {
            let bytes = self.bytes(part);
            if skip < bytes.len() && slices.len() < MAX_PARTS {
                slices.push(IoSlice::new(&bytes[skip..]));
            }
            skip = skip.saturating_sub(bytes.len());
        }
        slices
    }

    fn bytes<'a>(&'a self, part: &'a Part) -> &'a [u8] {
        match part {
            Part::Text(range) => &self.text[range.clone()],
            Part::Chunk(chunk, range) => &chunk[range.clone()],
        }
    }
}
