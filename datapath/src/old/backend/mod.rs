//! Where ciphertext is kept. A backend takes operations on bytes and completes them later, in any order.
//!
//! [`mod@file`] is the blocking reference over a file or block device, [`mem`] keeps everything in memory, and [`latch`]
//! stands before either and refuses further changes once one has failed.

pub mod file;
pub mod latch;
pub mod mem;
mod pool;

use crate::buf::Buf;
use crate::disk::Done;

/// What an operation does to the backend's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpKind {
    /// Fill the buffer, all of it.
    Read,
    /// Store the buffer, all of it.
    Write {
        /// These bytes are on the medium before completion.
        sync: bool,
    },
    /// Give the range's space back; it may read as anything afterwards. Advisory: a backend that cannot succeeds.
    Discard,
    /// Every write and discard that completed before this was submitted is on the medium before completion.
    Flush,
}

/// One operation. It owns its buffer until it completes, so memory that a kernel may still write to is never freed.
pub struct Op {
    /// What to do.
    pub kind: OpKind,
    /// First byte, counted from the start of the backend.
    pub offset: u64,
    /// How many bytes: the length of `buf` for a read or write, 0 for a flush.
    pub len: u64,
    /// The payload of a read or write, empty for the others.
    pub buf: Buf,
}

impl Op {
    /// A read that fills `buf`.
    #[must_use]
    pub fn read(offset: u64, buf: Buf) -> Self {
        Self { kind: OpKind::Read, offset, len: buf.len() as u64, buf }
    }

    /// A write of `buf`.
    #[must_use]
    pub fn write(offset: u64, buf: Buf, sync: bool) -> Self {
        Self { kind: OpKind::Write { sync }, offset, len: buf.len() as u64, buf }
    }

    /// A discard of a range.
    #[must_use]
    pub fn discard(offset: u64, len: u64) -> Self {
        Self { kind: OpKind::Discard, offset, len, buf: Buf::zeroed(0) }
    }

    /// A flush.
    #[must_use]
    pub fn flush() -> Self {
        Self { kind: OpKind::Flush, offset: 0, len: 0, buf: Buf::zeroed(0) }
    }
}

/// A store of bytes that completes operations later, on any thread, in any order, each exactly once.
///
/// Whatever order a caller needs it keeps by waiting: nothing is promised about two operations in flight together.
pub trait Backend: Send + Sync {
    /// Length in bytes when it was opened.
    fn len(&self) -> u64;

    /// Whether it has no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Starts `op` and returns. `done` gets the buffer back, also when the operation is refused. A failure may be
    /// reported from inside `submit`; a success is not, so a chain of operations does not deepen the stack.
    fn submit(&self, op: Op, done: Done);
}
