//! Reads and writes: whole sectors directly, anything else through a buffer of the sectors around it.
//!
//! The scheduler keeps overlapping operations apart for as long as one of these runs, so the sectors read here are
//! still the same when they are written back.

use std::ops::Range;
use std::sync::Arc;

use keywrap::geometry::Lba;

use super::Core;
use crate::old::backend::{Backend, Op};
use crate::buf::Buf;
use crate::disk::{Done, Outcome};
use crate::limits::in_memory;

/// Fills `buf` with plaintext from byte `offset` of the volume.
pub(super) fn read(core: &Arc<Core>, offset: u64, mut buf: Buf, done: Done) {
    let around = Around::new(core, offset, &buf);
    if around.is_exact(&buf) {
        return read_sectors(core, offset, buf, done);
    }
    let then: Done = Box::new(move |outcome| {
        if outcome.result.is_ok() {
            buf.as_mut_slice().copy_from_slice(&outcome.buf.as_slice()[around.inside]);
        }
        done(Outcome { buf, result: outcome.result });
    });
    read_sectors(core, around.first, Buf::zeroed(around.len), then);
}

/// Stores the plaintext in `buf` at byte `offset` of the volume.
pub(super) fn write(core: &Arc<Core>, offset: u64, buf: Buf, fua: bool, done: Done) {
    let around = Around::new(core, offset, &buf);
    if around.is_exact(&buf) {
        return write_sectors(core, offset, buf, fua, done);
    }
    let edges = around.edges(core);
    Merge { whole: Buf::zeroed(around.len), around, edges, payload: buf, fua, done }.step(core);
}

/// The whole sectors around a range of bytes.
struct Around {
    /// First byte of the first sector.
    first: u64,
    /// Length of the sectors in bytes.
    len: usize,
    /// Where the range lies in them.
    inside: Range<usize>,
}

impl Around {
    fn new(core: &Core, offset: u64, payload: &Buf) -> Self {
        let sector = u64::from(core.geometry.sector_size.bytes());
        let skip = offset % sector;
        let inside = in_memory(skip)..in_memory(skip) + payload.len();
        Self { first: offset - skip, len: inside.end.next_multiple_of(in_memory(sector)), inside }
    }

    fn is_exact(&self, payload: &Buf) -> bool {
        self.len == payload.len()
    }

    /// Offsets into the sectors of those that the range covers in part: none, one or two.
    fn edges(&self, core: &Core) -> Vec<usize> {
        let sector = in_memory(core.geometry.sector_size.bytes().into());
        let mut edges = Vec::with_capacity(2);
        if self.inside.start != 0 {
            edges.push(0);
        }
        let last = self.len - sector;
        if self.inside.end != self.len && !edges.contains(&last) {
            edges.push(last);
        }
        edges
    }
}

/// A write of partial sectors: its edges are read, its payload laid over them, and the whole written.
struct Merge {
    around: Around,
    /// The sectors as they will be written.
    whole: Buf,
    /// Those still to be read.
    edges: Vec<usize>,
    payload: Buf,
    fua: bool,
    done: Done,
}

impl Merge {
    fn step(mut self, core: &Arc<Core>) {
        let Some(edge) = self.edges.pop() else { return self.write(core) };
        let sector = in_memory(core.geometry.sector_size.bytes().into());
        let offset = self.around.first + edge as u64;
        let then = Arc::clone(core);
        let done: Done = Box::new(move |outcome| match outcome.result {
            Ok(()) => {
                self.whole.as_mut_slice()[edge..edge + sector].copy_from_slice(outcome.buf.as_slice());
                self.step(&then);
            }
            Err(_) => (self.done)(Outcome { buf: self.payload, result: outcome.result }),
        });
        read_sectors(core, offset, Buf::zeroed(sector), done);
    }

    fn write(self, core: &Arc<Core>) {
        let Self { around, mut whole, payload, fua, done, .. } = self;
        whole.as_mut_slice()[around.inside].copy_from_slice(payload.as_slice());
        let then: Done = Box::new(move |outcome| done(Outcome { buf: payload, result: outcome.result }));
        write_sectors(core, around.first, whole, fua, then);
    }
}

fn read_sectors(core: &Arc<Core>, offset: u64, buf: Buf, done: Done) {
    let then = Arc::clone(core);
    let decrypt: Done = Box::new(move |mut outcome| {
        if outcome.result.is_ok() {
            let tweak = first_tweak(&then, offset);
            then.cipher.decrypt(outcome.buf.as_mut_slice(), then.segment.sector_size, tweak);
        }
        done(outcome);
    });
    core.backend.submit(Op::read(core.segment.offset + offset, buf), decrypt);
}

fn write_sectors(core: &Arc<Core>, offset: u64, mut buf: Buf, fua: bool, done: Done) {
    core.cipher.encrypt(buf.as_mut_slice(), core.segment.sector_size, first_tweak(core, offset));
    core.backend.submit(Op::write(core.segment.offset + offset, buf, fua), done);
}

fn first_tweak(core: &Core, offset: u64) -> u64 {
    core.segment.tweak(Lba(offset >> core.segment.sector_size.shift()))
}
