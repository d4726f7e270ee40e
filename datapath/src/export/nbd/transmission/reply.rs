//! Replies, as bytes: simple, or structured chunks where they were negotiated.

use std::ops::Deref;

use super::{ALLOCATION_CONTEXT, Refusal};
use crate::export::nbd::wire::{MAX_STRING, SIMPLE_REPLY_MAGIC, STATE_DATA, STRUCTURED_REPLY_MAGIC, chunk};

/// The longest head: a structured chunk and the descriptor of a block status.
const MAX_HEAD: usize = 32;

/// The bytes of a reply that are not a read's data.
#[derive(Clone, Copy)]
pub struct Head {
    bytes: [u8; MAX_HEAD],
    len: usize,
}

impl Head {
    const EMPTY: Self = Self { bytes: [0; MAX_HEAD], len: 0 };

    fn with(mut self, bytes: &[u8]) -> Self {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
        self
    }
}

impl Deref for Head {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Builds the replies of one connection.
///
/// A read may be answered in several structured chunks, in any order of their offsets, the last of them marked; or in
/// one piece, whose head goes before all of its data.
#[derive(Clone, Copy, Debug)]
pub struct Replies {
    /// Structured replies were negotiated.
    pub structured: bool,
}

impl Replies {
    /// Success, without payload.
    #[must_use]
    pub fn done(self, cookie: u64) -> Head {
        if self.structured { structured(chunk::NONE, true, cookie, 0) } else { simple(cookie, 0) }
    }

    /// Success of a read in one piece; `len` bytes of data follow.
    #[must_use]
    pub fn read(self, cookie: u64, offset: u64, len: u32) -> Head {
        if self.structured { self.read_chunk(cookie, offset, len, true) } else { simple(cookie, 0) }
    }

    /// A structured chunk of a read; `len` bytes of data follow. `last`: the read is answered with it.
    #[must_use]
    pub fn read_chunk(self, cookie: u64, offset: u64, len: u32, last: bool) -> Head {
        structured(chunk::OFFSET_DATA, last, cookie, len.saturating_add(8)).with(&offset.to_be_bytes())
    }

    /// Failure. For a structured reply it may come after chunks of data, and is the last.
    #[must_use]
    pub fn refused(self, cookie: u64, refusal: &Refusal) -> Vec<u8> {
        let errno = refusal.errno as u32;
        if !self.structured {
            return simple(cookie, errno).to_vec();
        }
        let message = &refusal.message[..refusal.message.floor_char_boundary(MAX_STRING)];
        let message_len = u16::try_from(message.len()).unwrap_or_default();
        let mut reply = structured(chunk::ERROR, true, cookie, 6 + u32::from(message_len)).to_vec();
        reply.extend_from_slice(&errno.to_be_bytes());
        reply.extend_from_slice(&message_len.to_be_bytes());
        reply.extend_from_slice(message.as_bytes());
        reply
    }

    /// Success of a block status request: `len` bytes of data, as `base:allocation` tells it (flags 0).
    #[must_use]
    pub fn block_status(self, cookie: u64, len: u32) -> Head {
        structured(chunk::BLOCK_STATUS, true, cookie, 12)
            .with(&ALLOCATION_CONTEXT.to_be_bytes())
            .with(&len.to_be_bytes())
            .with(&STATE_DATA.to_be_bytes())
    }
}

fn simple(cookie: u64, errno: u32) -> Head {
    Head::EMPTY.with(&SIMPLE_REPLY_MAGIC.to_be_bytes()).with(&errno.to_be_bytes()).with(&cookie.to_be_bytes())
}

fn structured(kind: u16, last: bool, cookie: u64, len: u32) -> Head {
    let flags = if last { chunk::FLAG_DONE } else { 0 };
    Head::EMPTY
        .with(&STRUCTURED_REPLY_MAGIC.to_be_bytes())
        .with(&flags.to_be_bytes())
        .with(&kind.to_be_bytes())
        .with(&cookie.to_be_bytes())
        .with(&len.to_be_bytes())
}
