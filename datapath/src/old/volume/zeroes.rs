//! WRITE_ZEROES: encrypted zeroes, since a hole in the backing decrypts to noise. One chunk at a time, so that a range
//! of any length costs the memory of one chunk.

use std::ops::Range;
use std::sync::Arc;

use super::{Core, transfer};
use crate::old::backend::{Backend, Op};
use crate::buf::Buf;
use crate::disk::{Done, Outcome};
use crate::limits::{ZERO_CHUNK, in_memory};

/// Makes the bytes of `range` read as zeroes; with `fua` they are on the medium before completion.
pub(super) fn write_zeroes(core: &Arc<Core>, range: Range<u64>, fua: bool, done: Done) {
    if range.is_empty() {
        // One flush for all chunks: they have completed, so it covers them.
        return match fua {
            true => core.backend.submit(Op::flush(), done),
            false => done(Outcome { buf: Buf::zeroed(0), result: Ok(()) }),
        };
    }
    // Chunks end at multiples of their length, so that only the ends of the range can be partial sectors.
    let chunk = u64::from(ZERO_CHUNK);
    let end = range.end.min((range.start / chunk + 1) * chunk);
    let next = Arc::clone(core);
    let then: Done = Box::new(move |outcome| match outcome.result {
        Ok(()) => write_zeroes(&next, end..range.end, fua, done),
        Err(_) => done(Outcome { buf: Buf::zeroed(0), result: outcome.result }),
    });
    transfer::write(core, range.start, Buf::zeroed(in_memory(end - range.start)), false, then);
}
