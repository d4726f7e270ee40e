//! Replies, as bytes: simple, or structured chunks where they were negotiated.

use super::{ALLOCATION_CONTEXT, Refusal};
use crate::export::nbd::wire::{MAX_STRING, SIMPLE_REPLY_MAGIC, STATE_DATA, STRUCTURED_REPLY_MAGIC, chunk};

/// Builds the replies of one connection.
///
/// A successful read is its [`Replies::read`] bytes followed by the data. Every reply is one chunk: the disk has
/// completed before its reply is built, so no error can follow.
#[derive(Clone, Copy, Debug)]
pub struct Replies {
    /// Structured replies were negotiated.
    pub structured: bool,
}

impl Replies {
    /// Success, without payload.
    #[must_use]
    pub fn done(self, cookie: u64) -> Vec<u8> {
        if self.structured { structured(chunk::NONE, cookie, 0) } else { simple(cookie, 0) }
    }

    /// Success of a read; `len` bytes of data follow.
    #[must_use]
    pub fn read(self, cookie: u64, offset: u64, len: u32) -> Vec<u8> {
        if !self.structured {
            return simple(cookie, 0);
        }
        let mut reply = structured(chunk::OFFSET_DATA, cookie, len.saturating_add(8));
        reply.extend_from_slice(&offset.to_be_bytes());
        reply
    }

    /// Failure.
    #[must_use]
    pub fn refused(self, cookie: u64, refusal: &Refusal) -> Vec<u8> {
        let errno = refusal.errno as u32;
        if !self.structured {
            return simple(cookie, errno);
        }
        let message = &refusal.message[..refusal.message.floor_char_boundary(MAX_STRING)];
        let message_len = u16::try_from(message.len()).unwrap_or_default();
        let mut reply = structured(chunk::ERROR, cookie, 6 + u32::from(message_len));
        reply.extend_from_slice(&errno.to_be_bytes());
        reply.extend_from_slice(&message_len.to_be_bytes());
        reply.extend_from_slice(message.as_bytes());
        reply
    }

    /// Success of a block status request: `len` bytes of data, as `base:allocation` tells it (flags 0).
    #[must_use]
    pub fn block_status(self, cookie: u64, len: u32) -> Vec<u8> {
        let mut reply = structured(chunk::BLOCK_STATUS, cookie, 12);
        reply.extend_from_slice(&ALLOCATION_CONTEXT.to_be_bytes());
        reply.extend_from_slice(&len.to_be_bytes());
        reply.extend_from_slice(&STATE_DATA.to_be_bytes());
        reply
    }
}

fn simple(cookie: u64, errno: u32) -> Vec<u8> {
    let mut reply = Vec::with_capacity(16);
    reply.extend_from_slice(&SIMPLE_REPLY_MAGIC.to_be_bytes());
    reply.extend_from_slice(&errno.to_be_bytes());
    reply.extend_from_slice(&cookie.to_be_bytes());
    reply
}

/// A chunk's header, marked as the last of its request.
fn structured(kind: u16, cookie: u64, len: u32) -> Vec<u8> {
    let mut reply = Vec::with_capacity(28);
    reply.extend_from_slice(&STRUCTURED_REPLY_MAGIC.to_be_bytes());
    reply.extend_from_slice(&chunk::FLAG_DONE.to_be_bytes());
    reply.extend_from_slice(&kind.to_be_bytes());
    reply.extend_from_slice(&cookie.to_be_bytes());
    reply.extend_from_slice(&len.to_be_bytes());
    reply
}
