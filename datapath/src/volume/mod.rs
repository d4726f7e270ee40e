//! The volume: the one place where plaintext becomes ciphertext.
//!
//! ```text
//!            ┌ Queue    (a ring's thread: whole sectors, many at a time, nothing allocated) ┐   claims ─ cipher
//!  export ───┤                                                                              ├──▶ Volume ─┤
//!            └ BlockingDisk (any thread: everything, one call at a time)                    ┘   latch ─ backend
//! ```
//! [`Queue`] is the fast way, for exports that live on a ring; what is rare there (partial sectors, zeroes, trims) it
//! leaves to a thread that uses the blocking way, which is the whole truth about what each operation means.
//!
//! **Order.** Operations that overlap run one after the other (`claims`), sector by sector: a long one is done in pieces.
//!
//! **Durability.** A flush covers every operation that had completed before the flush was asked for: by then its
//! ciphertext was handed to the medium, and the flush syncs that. An operation still in flight may or may not be
//! covered. FUA covers its own operation only.
//!
//! **The latch.** After a failed `fsync` Linux drops the dirty pages and reports success to the next caller, so a flush
//! that succeeds later says nothing about what was written before. The first failed write or flush is reported to its
//! owner; from then on writes, zeroes, trims and flushes are refused with [`IoError::Latched`], and reads go on. Only
//! opening anew resets it.
//!
//! **A backing that shrinks.** Reads beyond its end fail. Before a write or flush its length is looked at: by blocking
//! calls each time, by a queue once for all that its worker starts in one turn, and for each flush. If it is too short,
//! that is a failed write. What happens between the look and the write goes unnoticed until the next look.

mod blocking;
mod claims;
mod coding;
mod latency;
mod open;
mod pool;
mod queue;
mod slow;
mod stats;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use keywrap::geometry::{ByteLen, DataSegment};

pub use latency::{LATENCY_BOUNDS, Latency, Operation};
pub use open::{DiskOptions, OpenError, ResizeError};
pub use queue::{Finished, Job, Note, Notify, Payload, Queue};
pub use slow::{Slow, SlowLane};
pub use stats::{Counter, Snapshot};

use crate::backend::Backend;
use crate::disk::{Command, Geometry, IoError};
use crate::request::{Request, RequestError};
use claims::Claims;
use coding::Coding;
use stats::{QueueStats, Stats};

/// An encrypted volume as a disk of plaintext.
pub struct Volume {
    backend: Box<dyn Backend>,
    coding: Coding,
    segment: DataSegment,
    /// The segment's length in bytes, now.
    len: AtomicU64,
    options: DiskOptions,
    claims: Claims,
    latched: AtomicBool,
    stats: Stats,
    /// Counts what is done by blocking calls.
    calls: Arc<QueueStats>,
}

impl Volume {
    /// What the volume is, now.
    #[must_use]
    pub fn geometry(&self) -> Geometry {
        Geometry {
            len: ByteLen(self.len.load(Ordering::Acquire)),
            sector_size: self.segment.sector_size,
            read_only: self.options.read_only,
            discards: self.options.discards && !self.options.read_only,
        }
    }

    /// Whether partial sectors are refused.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.options.strict_alignment
    }

    /// Whether an earlier write or flush failed, so that changes are refused.
    #[must_use]
    pub fn is_latched(&self) -> bool {
        self.latched.load(Ordering::Acquire)
    }

    /// What was done so far, for each queue that there ever was and for the blocking calls.
    #[must_use]
    pub fn statistics(&self) -> Vec<Snapshot> {
        self.stats.snapshots()
    }

    /// Keeps every operation away from a range, as another operation would.
    #[cfg(test)]
    pub(crate) fn hold(&self, offset: u64, len: u64) {
        self.claims.claim_blocking(claims::Claim::new(offset, len, true));
    }

    /// Ends [`Self::hold`] of the same range.
    #[cfg(test)]
    pub(crate) fn release(&self, offset: u64, len: u64) {
        self.claims.release(claims::Claim::new(offset, len, true));
    }

    /// Checks an operation against what the volume is, its options and its latch.
    fn request(&self, command: Command, offset: u64, len: u64) -> Result<Request, IoError> {
        let geometry = self.geometry();
        let request = match self.options.strict_alignment {
            true => Request::parse(command, offset, len, &geometry),
            false => Request::covering(command, offset, len, &geometry),
        };
        let request = request.map_err(|error: RequestError| IoError::from(error))?;
        if !matches!(command, Command::Read | Command::Cache) {
            self.check_latch()?;
        }
        Ok(request)
    }

    /// Whether the backing still has the whole segment. Where it has shrunk, a write would succeed and leave a hole
    /// behind, which would read as garbage.
    fn check_backing(&self) -> Result<(), IoError> {
        // In this order: a volume grows after its backing, so the other way round growing would look like shrinking.
        let end = self.segment.offset + self.len.load(Ordering::Acquire);
        let len = self.backend.len()?;
        if len < end { Err(shrunk(len, end).into()) } else { Ok(()) }
    }

    /// What a read that failed really means, if the backing has shrunk.
    fn explain(&self, error: io::Error) -> IoError {
        self.check_backing().err().unwrap_or_else(|| error.into())
    }

    fn check_latch(&self) -> Result<(), IoError> {
        if self.is_latched() { Err(IoError::Latched) } else { Ok(()) }
    }

    /// Takes note of a failed write or flush.
    fn latch(&self, error: &IoError) {
        if !self.latched.swap(true, Ordering::AcqRel) {
            tracing::error!(%error, "a write or flush failed; the volume refuses changes until it is reopened");
        }
    }
}

fn shrunk(len: u64, end: u64) -> io::Error {
    let message = format!(
        "the backing has shrunk to {len} bytes, and the volume ends at byte {end}; restore it from a copy before using \
         the volume"
    );
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}
