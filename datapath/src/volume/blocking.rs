//! Every operation as a call that blocks: what each of them means, in pieces of at most a chunk.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Instant;

use super::Volume;
use super::claims::{Claim, Claims};
use super::latency::Operation;
use super::stats::Counter;
use crate::buf::Buf;
use crate::buf::arena::MAX_CHUNK;
use crate::disk::{BlockingDisk, Command, Geometry, IoError};
use crate::limits::in_memory;

thread_local! {
    /// Aligned memory for one piece, since a caller's may lie anywhere.
    static SCRATCH: RefCell<Buf> = RefCell::new(Buf::zeroed(MAX_CHUNK));
}

impl BlockingDisk for Volume {
    fn geometry(&self) -> Geometry {
        Self::geometry(self)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<(), IoError> {
        let len = buf.len() as u64;
        self.counted(Counter::Reads, Counter::ReadBytes, len, || {
            self.request(Command::Read, offset, len)?;
            self.pieces(offset, len).try_for_each(|piece| self.read_piece(&piece, &mut buf[piece.payload.clone()]))
        })
    }

    fn write_at(&self, buf: &[u8], offset: u64, fua: bool) -> Result<(), IoError> {
        let len = buf.len() as u64;
        self.counted(Counter::Writes, Counter::WrittenBytes, len, || {
            self.request(Command::Write { fua }, offset, len)?;
            self.pieces(offset, len)
                .try_for_each(|piece| self.write_piece(&piece, Some(&buf[piece.payload.clone()]), fua))
        })
    }

    fn write_zeroes(&self, offset: u64, len: u64, fua: bool) -> Result<(), IoError> {
        self.counted(Counter::Zeroes, Counter::WrittenBytes, len, || {
            self.request(Command::WriteZeroes { fua }, offset, len)?;
            self.pieces(offset, len).try_for_each(|piece| self.write_piece(&piece, None, false))?;
            // One flush for all pieces: they have completed, so it covers them.
            if fua { self.sync() } else { Ok(()) }
        })
    }

    fn trim(&self, offset: u64, len: u64, fua: bool) -> Result<(), IoError> {
        self.counted(Counter::Zeroes, Counter::WrittenBytes, 0, || {
            self.request(Command::Trim { fua }, offset, len)?;
            // Only the sectors that lie wholly inside: the rest of the others is still needed.
            let sector = u64::from(self.segment.sector_size.bytes());
            let (first, end) = (offset.next_multiple_of(sector), (offset + len) / sector * sector);
            if !self.geometry().discards || first >= end {
                return Ok(());
            }
            let claim = Claimed::new(&self.claims, Claim::new(first, end - first, true));
            self.backend.discard(self.segment.offset + first, end - first)?;
            drop(claim);
            if fua { self.sync() } else { Ok(()) }
        })
    }

    fn flush(&self) -> Result<(), IoError> {
        self.counted(Counter::Flushes, Counter::WrittenBytes, 0, || {
            self.request(Command::Flush, 0, 0)?;
            self.sync()
        })
    }
}

/// A part of an operation that is done at a time.
struct Piece {
    /// Byte of the volume where its first sector begins.
    first: u64,
    /// Length of its sectors in bytes.
    len: usize,
    /// Where in those sectors the operation's bytes lie.
    inside: Range<usize>,
    /// Where in the operation's bytes they lie.
    payload: Range<usize>,
}

impl Volume {
    /// Brings everything that was written to the medium.
    pub(super) fn sync(&self) -> Result<(), IoError> {
        self.changed(self.check_backing())?;
        self.changed(self.backend.flush().map_err(IoError::from))
    }

    fn counted(
        &self,
        operations: Counter,
        bytes: Counter,
        len: u64,
        run: impl FnOnce() -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        self.calls.add(Counter::Started, 1);
        let begin = Instant::now();
        let result = run();
        self.calls.took(kind(operations), begin.elapsed(), result.is_ok());
        match &result {
            Ok(()) => {
                self.calls.add(operations, 1);
                self.calls.add(bytes, len);
            }
            Err(_) => self.calls.add(Counter::Errors, 1),
        }
        self.calls.add(Counter::Ended, 1);
        result
    }

    /// The parts of a range. They end at multiples of a chunk, so only the first and the last can have partial sectors.
    fn pieces(&self, offset: u64, len: u64) -> impl Iterator<Item = Piece> + use<> {
        let (sector, chunk) = (u64::from(self.segment.sector_size.bytes()), MAX_CHUNK as u64);
        let (mut at, end) = (offset, offset + len);
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let stop = end.min((at / chunk + 1) * chunk);
            let first = at - at % sector;
            let inside = in_memory(at - first)..in_memory(stop - first);
            let payload = in_memory(at - offset)..in_memory(stop - offset);
            at = stop;
            Some(Piece { first, len: inside.end.next_multiple_of(in_memory(sector)), inside, payload })
        })
    }

    fn read_piece(&self, piece: &Piece, out: &mut [u8]) -> Result<(), IoError> {
        SCRATCH.with_borrow_mut(|scratch| {
            let kept = &mut scratch.as_mut_slice()[..piece.len];
            let claim = Claimed::new(&self.claims, Claim::new(piece.first, piece.len as u64, false));
            self.backend.read(kept, self.segment.offset + piece.first).map_err(|error| self.explain(error))?;
            drop(claim);
            if out.len() == piece.len {
                self.coding.open_to(&self.segment, piece.first, kept, out);
            } else {
                self.coding.open(&self.segment, piece.first, kept);
                out.copy_from_slice(&kept[piece.inside.clone()]);
            }
            Ok(())
        })
    }

    /// Writes the bytes, or as many zeroes.
    fn write_piece(&self, piece: &Piece, bytes: Option<&[u8]>, fua: bool) -> Result<(), IoError> {
        SCRATCH.with_borrow_mut(|scratch| {
            let kept = &mut scratch.as_mut_slice()[..piece.len];
            let claim = Claimed::new(&self.claims, Claim::new(piece.first, piece.len as u64, true));
            match bytes {
                Some(bytes) if bytes.len() == piece.len => {
                    self.coding.seal_to(&self.segment, piece.first, bytes, kept);
                }
                _ => {
                    self.read_edges(piece, kept)?;
                    match bytes {
                        Some(bytes) => kept[piece.inside.clone()].copy_from_slice(bytes),
                        None => kept[piece.inside.clone()].fill(0),
                    }
                    self.coding.seal(&self.segment, piece.first, kept);
                }
            }
            let written = self.store(kept, piece.first, fua);
            drop(claim);
            written
        })
    }

    /// Brings sealed sectors to the backing, unless it has shrunk or an earlier write has failed while this one waited.
    fn store(&self, kept: &[u8], first: u64, fua: bool) -> Result<(), IoError> {
        self.check_latch()?;
        self.changed(self.check_backing())?;
        self.changed(self.backend.write(kept, self.segment.offset + first, fua).map_err(IoError::from))
    }

    /// Fills the sectors that the piece covers only in part: none, the first, the last, or both.
    fn read_edges(&self, piece: &Piece, kept: &mut [u8]) -> Result<(), IoError> {
        let sector = in_memory(self.segment.sector_size.bytes().into());
        let last = piece.len - sector;
        let head = (piece.inside.start != 0).then_some(0);
        let tail = (piece.inside.end != piece.len && (head.is_none() || last != 0)).then_some(last);
        for edge in head.into_iter().chain(tail) {
            let (kept, first) = (&mut kept[edge..edge + sector], piece.first + edge as u64);
            self.backend.read(kept, self.segment.offset + first).map_err(|error| self.explain(error))?;
            self.coding.open(&self.segment, first, kept);
        }
        Ok(())
    }

    /// Passes the result of a write or flush on, and latches when it is a failure.
    pub(super) fn changed(&self, result: Result<(), IoError>) -> Result<(), IoError> {
        if let Err(error) = &result {
            self.latch(error);
        }
        result
    }
}

/// The kind of operation that such a counter counts.
const fn kind(operations: Counter) -> Operation {
    match operations {
        Counter::Reads => Operation::Read,
        Counter::Writes => Operation::Write,
        Counter::Flushes => Operation::Flush,
        _ => Operation::Zero,
    }
}

/// A claim, released when dropped.
struct Claimed<'a>(&'a Claims, Claim);

impl<'a> Claimed<'a> {
    fn new(claims: &'a Claims, claim: Claim) -> Self {
        claims.claim_blocking(claim);
        Self(claims, claim)
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        self.0.release(self.1);
    }
}
