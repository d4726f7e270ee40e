//! A write whose payload is being received. Whole sectors are encrypted out of the buffer that they were received in,
//! into the chunk that is written: encrypting is the only copy. What is left of partial sectors goes the slow way.

use super::outgoing::Outgoing;
use super::serving::Serving;
use crate::buf::Buf;
use crate::buf::arena::{Chunk, MAX_CHUNK};
use crate::limits::in_memory;
use crate::volume::{Job, Queue, Slow};
use crate::worker::Context;

/// See the module.
pub(super) struct Incoming {
    request: u32,
    /// Where on the disk the next piece begins.
    at: u64,
    fua: bool,
    /// It was refused: the payload is dropped.
    refused: bool,
    piece: Option<Filling>,
}

/// A piece that is being filled.
enum Filling {
    /// Whole sectors; those before `filled` that are complete are encrypted.
    Sectors { chunk: Chunk, filled: usize },
    /// A part of one sector.
    Part { buf: Buf, filled: usize },
}

impl Incoming {
    pub(super) fn new(request: u32, at: u64, fua: bool, refused: bool) -> Self {
        Self { request, at, fua, refused, piece: None }
    }
}

impl Serving {
    /// Takes a part of the payload off the front of `input`; whether there was room for it.
    pub(super) fn take_payload(&mut self, input: &mut &[u8], out: &mut Outgoing, cx: &mut Context<'_>) -> bool {
        let Some(mut incoming) = self.incoming.take() else { return false };
        if incoming.refused {
            self.machine.payload(input, usize::MAX);
        } else {
            let piece = incoming.piece.take().or_else(|| self.next_piece(incoming.at, cx));
            let Some(mut piece) = piece else {
                self.incoming = Some(incoming);
                return false;
            };
            let bytes = self.machine.payload(input, piece.room());
            piece.fill(bytes, incoming.at, cx.disk(self.disk));
            if piece.room() == 0 {
                self.write(&mut incoming, piece, cx);
            } else {
                incoming.piece = Some(piece);
            }
        }
        let request = incoming.request;
        if self.machine.payload_left() > 0 {
            self.incoming = Some(incoming);
        } else if let Some(answering) = self.requests.get_mut(request) {
            answering.all_started = true;
            // It may be refused, or every piece may have ended already. A write's answer is never a fault.
            let _ = self.answer(request, out);
        }
        true
    }

    /// Memory for the next piece: whole sectors as far as there are, else the part of a sector.
    fn next_piece(&mut self, at: u64, cx: &mut Context<'_>) -> Option<Filling> {
        let sector = u64::from(cx.disk(self.disk).volume().geometry().sector_size.bytes());
        let left = u64::from(self.machine.payload_left());
        let into = at % sector;
        if into > 0 || left < sector {
            let len = in_memory(left.min(sector - into));
            return Some(Filling::Part { buf: Buf::zeroed(len), filled: 0 });
        }
        let limit = (at / MAX_CHUNK as u64 + 1) * MAX_CHUNK as u64 - at;
        let chunk = self.chunk(in_memory((left - left % sector).min(limit)), cx)?;
        Some(Filling::Sectors { chunk, filled: 0 })
    }

    fn write(&mut self, incoming: &mut Incoming, piece: Filling, cx: &mut Context<'_>) {
        let (offset, fua) = (incoming.at, incoming.fua);
        let (job, len, held) = match piece {
            Filling::Sectors { chunk, filled } => (Job::Write { offset, chunk, fua }, filled, filled),
            Filling::Part { buf, filled } => (Job::Slow(Slow::Write { offset, buf, fua }), filled, 0),
        };
        incoming.at += len as u64;
        self.start(incoming.request, job, held, None, cx);
    }
}

impl Filling {
    /// How many bytes are missing.
    fn room(&self) -> usize {
        match self {
            Self::Sectors { chunk, filled } => chunk.len() - filled,
            Self::Part { buf, filled } => buf.len() - filled,
        }
    }

    /// Takes plaintext that belongs right after what there is. `at`: where on the disk the piece begins.
    fn fill(&mut self, mut bytes: &[u8], at: u64, disk: &Queue) {
        match self {
            Self::Part { buf, filled } => {
                buf.as_mut_slice()[*filled..*filled + bytes.len()].copy_from_slice(bytes);
                *filled += bytes.len();
            }
            Self::Sectors { chunk, filled } => {
                let sector = 1 << disk.volume().geometry().sector_size.shift();
                while !bytes.is_empty() {
                    let begun = *filled % sector;
                    let whole = bytes.len() / sector * sector;
                    let len = if begun == 0 && whole > 0 { whole } else { (sector - begun).min(bytes.len()) };
                    let (now, rest) = bytes.split_at(len);
                    let to = &mut chunk[*filled..*filled + len];
                    if len.is_multiple_of(sector) {
                        disk.seal_to(at + *filled as u64, now, to);
                    } else {
                        to.copy_from_slice(now);
                    }
                    *filled += len;
                    if begun + len == sector && !len.is_multiple_of(sector) {
                        disk.seal(at + (*filled - sector) as u64, &mut chunk[*filled - sector..*filled]);
                    }
                    bytes = rest;
                }
            }
        }
    }
}
