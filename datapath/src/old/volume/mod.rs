//! The volume: the one place where plaintext becomes ciphertext.
//!
//! ```text
//! submit ─ Request::parse ─ Scheduler ─┬─ transfer: encrypt → write │ read → decrypt │ read, merge, encrypt → write
//!          refused at once             ├─ zeroes:   encrypted zeroes, a chunk at a time
//!                                      └─ trim, flush                          → Backend → finish → done
//! ```
//!
//! Encryption runs on the thread that submits (or that ended the operation waited for), decryption on the backend's
//! completing thread. No lock is held during either, nor during I/O.
//!
//! **Durability.** A flush covers every operation whose `done` was called before the flush was submitted: by then its
//! ciphertext was handed to the medium, and the flush syncs that. An operation still in flight when the flush is
//! submitted may or may not be covered. FUA covers its own operation only.

mod transfer;
mod zeroes;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use keywrap::geometry::{ByteLen, DataSegment, Lba};
use keywrap::keys::VolumeKey;

use crate::old::backend::latch::Latch;
use crate::old::backend::{Backend, Op};
use crate::buf::Buf;
use crate::cipher::Cipher;
use crate::cipher::dispatch::{self, Engine, NoEngine};
use crate::cipher::selftest::{self, SelfTestFailed};
use crate::disk::{Command, Disk, Done, Geometry, Io, Outcome};
use crate::limits::ZERO_CHUNK;
use crate::request::{Request, RequestError};
use crate::old::sched::{Claim, Scheduler, Ticket};

/// How a volume is to be served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskOptions {
    /// Refuse writes, zeroes and trims.
    pub read_only: bool,
    /// Pass trims down. It tells whoever sees the backing which sectors are unused (docs/format/data-segment.md).
    pub discards: bool,
    /// Refuse what is not whole sectors, where it would be served by a read-modify-write otherwise.
    pub strict_alignment: bool,
    /// The cipher engine; `None` lets [`dispatch::choose`] choose.
    pub engine: Option<Engine>,
}

/// Why a volume cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The segment does not lie inside the backing.
    #[error(
        "the data segment ends at byte {end} but the backing has only {len}; it was truncated, or is not this volume's"
    )]
    BackingTooShort {
        /// First byte after the segment.
        end: u64,
        /// Length of the backing in bytes.
        len: u64,
    },
    /// The segment is not made of whole sectors, or does not fit 64 bits.
    #[error("a data segment of {len} bytes at {offset} is not whole sectors of {sector} bytes")]
    Segment {
        /// First byte of the segment.
        offset: u64,
        /// Its length in bytes.
        len: u64,
        /// Sector size in bytes.
        sector: u32,
    },
    /// The engine asked for does not exist, or not on this machine.
    #[error(transparent)]
    Engine(#[from] NoEngine),
    /// The engine does not compute AES-XTS on this machine.
    #[error(transparent)]
    SelfTest(#[from] SelfTestFailed),
}

/// An encrypted volume as a disk of plaintext. Dropping it waits until every operation has ended.
pub struct EncryptedDisk {
    core: Arc<Core>,
}

impl EncryptedDisk {
    /// Serves the `segment` of `backend` under `key`, after the cipher engine has passed its self-test.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        backend: Box<dyn Backend>,
        key: &VolumeKey,
        segment: DataSegment,
        options: DiskOptions,
    ) -> Result<Self, OpenError> {
        check_segment(&segment, backend.len())?;
        let engine = match options.engine {
            Some(engine) => engine,
            None => dispatch::choose(None)?.engine,
        };
        selftest::run(engine)?;
        tracing::info!(%engine, "cipher engine passed its self-test");
        let geometry = Geometry {
            len: segment.len,
            sector_size: segment.sector_size,
            read_only: options.read_only,
            discards: options.discards && !options.read_only,
        };
        let core = Core {
            backend: Latch::new(backend),
            cipher: Cipher::new(key, engine),
            segment,
            geometry,
            strict_alignment: options.strict_alignment,
            queue: Mutex::default(),
            idle: Condvar::new(),
        };
        Ok(Self { core: Arc::new(core) })
    }

    /// Waits until every operation submitted so far has ended. The callback of the last may still be running.
    pub fn drain(&self) {
        let mut queue = self.core.queue();
        while !queue.scheduler.is_idle() {
            queue = self.core.idle.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for EncryptedDisk {
    fn drop(&mut self) {
        self.drain();
    }
}

fn check_segment(segment: &DataSegment, backing: u64) -> Result<(), OpenError> {
    let (offset, ByteLen(len), sector) = (segment.offset, segment.len, segment.sector_size.bytes());
    let odd = OpenError::Segment { offset, len, sector };
    if !len.is_multiple_of(u64::from(sector)) {
        return Err(odd);
    }
    match offset.checked_add(len) {
        None => Err(odd),
        Some(end) if end > backing => Err(OpenError::BackingTooShort { end, len: backing }),
        Some(_) => Ok(()),
    }
}

impl Disk for EncryptedDisk {
    fn geometry(&self) -> Geometry {
        self.core.geometry
    }

    fn submit(&self, io: Io, done: Done) {
        match self.core.parse(&io) {
            Ok(request) => {
                self.core.queue().scheduler.arrive(self.core.claim(&request), Job { request, io, done });
                self.core.start_ready();
            }
            Err(error) => done(Outcome { buf: io.buf, result: Err(error.into()) }),
        }
    }
}

/// What outlives the disk's handle while operations are in flight.
struct Core {
    backend: Latch,
    cipher: Cipher,
    segment: DataSegment,
    geometry: Geometry,
    strict_alignment: bool,
    queue: Mutex<Queue>,
    idle: Condvar,
}

#[derive(Default)]
struct Queue {
    scheduler: Scheduler<Job>,
    /// Threads inside [`Core::start_ready`], which must not enter it again: an operation refused at once ends there,
    /// and a long line of them would otherwise deepen the stack.
    starting: Vec<ThreadId>,
}

/// An operation on its way.
struct Job {
    request: Request,
    io: Io,
    done: Done,
}

impl Core {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn parse(&self, io: &Io) -> Result<Request, RequestError> {
        if self.strict_alignment { Request::parse(io.command, io.offset, io.len, &self.geometry) } else { Request::covering(io.command, io.offset, io.len, &self.geometry) }
    }

    fn claim(&self, request: &Request) -> Claim {
        let Lba(first) = request.first();
        let len = request.len(&self.geometry);
        let (exclusive, bytes) = match request.command() {
            Command::Read => (false, len),
            Command::Write { .. } => (true, len),
            Command::WriteZeroes { .. } => (true, len.min(u64::from(ZERO_CHUNK))),
            Command::Trim { .. } => (true, 0),
            Command::Cache | Command::Flush => (false, 0),
        };
        let sectors = if bytes == 0 && !exclusive { 0..0 } else { first..first + request.sectors() };
        Claim { sectors, exclusive, bytes }
    }

    /// Starts everything that may start.
    fn start_ready(self: &Arc<Self>) {
        let me = thread::current().id();
        let mut queue = self.queue();
        if queue.starting.contains(&me) {
            return;
        }
        queue.starting.push(me);
        while let Some((ticket, job)) = queue.scheduler.start_next() {
            drop(queue);
            self.start(ticket, job);
            queue = self.queue();
        }
        queue.starting.retain(|thread| *thread != me);
    }

    fn start(self: &Arc<Self>, ticket: Ticket, Job { request, io, done }: Job) {
        let core = Arc::clone(self);
        let end: Done = Box::new(move |outcome| core.finish(ticket, outcome, done));
        let Io { offset, len, buf, .. } = io;
        match request.command() {
            Command::Read => transfer::read(self, offset, buf, end),
            Command::Write { fua } => transfer::write(self, offset, buf, fua, end),
            Command::WriteZeroes { fua } => zeroes::write_zeroes(self, offset..offset + len, fua, end),
            Command::Trim { fua } => self.trim(offset, len, fua, end),
            Command::Cache => end(Outcome { buf, result: Ok(()) }),
            Command::Flush => self.backend.submit(Op::flush(), end),
        }
    }

    /// An operation has ended: first whoever waited for it may go on, then its owner is told.
    fn finish(self: &Arc<Self>, ticket: Ticket, outcome: Outcome, done: Done) {
        let mut queue = self.queue();
        queue.scheduler.end(ticket);
        if queue.scheduler.is_idle() {
            self.idle.notify_all();
        }
        drop(queue);
        self.start_ready();
        done(outcome);
    }

    /// Discards the whole sectors inside the range, when the volume allows it.
    fn trim(self: &Arc<Self>, offset: u64, len: u64, fua: bool, done: Done) {
        let sector = u64::from(self.geometry.sector_size.bytes());
        let (first, end) = (offset.next_multiple_of(sector), (offset + len) / sector * sector);
        if !self.geometry.discards || first >= end {
            return done(Outcome { buf: Buf::zeroed(0), result: Ok(()) });
        }
        let core = Arc::clone(self);
        let then: Done = Box::new(move |outcome| match outcome.result {
            Ok(()) if fua => core.backend.submit(Op::flush(), done),
            _ => done(outcome),
        });
        self.backend.submit(Op::discard(self.segment.offset + first, end - first), then);
    }
}
