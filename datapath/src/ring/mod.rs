//! A thread's I/O: sockets, files and devices on one ring, many operations started and completed at a time.
//!
//! ```text
//!   read, write, sync, receive, send, … ──▶ [ operations: each owns its memory ] ──▶ io_uring (or its twin)
//!   pop()  ◀── Completion { tag, result, held } ◀────────────────────────────────── wait()
//! ```
//! An operation owns what the kernel reads or writes for it until it completes; then it is handed back as
//! [`Completion::held`]. So no safe code can free or change memory that a kernel still uses, and a ring that is dropped
//! with operations in flight leaks their memory rather than freeing it.
//!
//! [`Kind::Uring`] is io_uring with registered files, registered memory ([`crate::buf::arena`]) and buffers that the
//! kernel picks for what a socket receives. [`Kind::Poll`] does the same with `poll` and plain calls: the slow, obvious
//! twin, and what is left where a container forbids io_uring.

#![expect(unsafe_code, reason = "the kernel reads and writes memory that safe code must not touch meanwhile")]

mod file;
mod message;
mod operation;
mod polled;
mod received;
mod restrict;
pub mod ublk;
mod uring;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::buf::arena::{Arena, Chunk};

pub use file::File;
pub use message::Message;
pub use operation::Held;
pub use received::Received;

use file::Slots;
use operation::{Op, Operations};
use received::Pool;

/// How a ring does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// io_uring.
    Uring,
    /// `poll` and blocking calls.
    Poll,
}

impl Kind {
    /// io_uring where the kernel allows it, else the twin; and why.
    #[must_use]
    pub fn choose() -> (Self, Option<io::Error>) {
        match uring::probe() {
            Ok(()) => (Self::Uring, None),
            Err(error) => (Self::Poll, Some(error)),
        }
    }
}

/// What was started, ended.
pub struct Completion {
    /// The name that the caller gave the operation.
    pub tag: u64,
    /// What the call it stands for returns.
    pub result: io::Result<u32>,
    /// What the operation owned.
    pub held: Held,
}

/// One of the two ways to do it. It is told of operations by their number, and tells their results by it.
trait Engine {
    /// Starts `op`; the memory it refers to stays where it is until its number is among the completed.
    fn start(&mut self, number: u32, op: &mut Op);

    /// Submits what was started. With `block`, waits until something has completed. Adds what has to `done`.
    fn wait(&mut self, block: bool, operations: &mut Operations, done: &mut VecDeque<Ended>) -> io::Result<()>;

    /// Asks for one operation in flight to end.
    fn cancel(&mut self, number: u32);
    /// Asks for every operation in flight to end.
    fn cancel_all(&mut self);
}

/// An operation's number with its result, negative for an error number; for a receive, which buffer was filled.
struct Ended {
    number: u32,
    result: i32,
    buffer: Option<u16>,
}

/// A ring. It belongs to the thread that made it.
pub struct Ring {
    engine: Box<dyn Engine>,
    kind: Kind,
    operations: Operations,
    ended: VecDeque<Ended>,
    arena: Arena,
    pool: Pool,
    slots: Slots,
}

impl Ring {
    /// A ring of its own memory.
    ///
    /// # Errors
    /// When the kernel refuses it; [`Kind::choose`] knows beforehand.
    pub fn new(kind: Kind) -> io::Result<Self> {
        let arena = Arena::new()?;
        let pool = Pool::new()?;
        let slots = Slots::default();
        let engine: Box<dyn Engine> = match kind {
            Kind::Uring => Box::new(uring::Uring::new(&arena, &pool, &slots)?),
            Kind::Poll => Box::new(polled::Polled::new(&pool)),
        };
        Ok(Self { engine, kind, operations: Operations::default(), ended: VecDeque::new(), arena, pool, slots })
    }

    /// How it does its work.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The memory for its operations.
    #[must_use]
    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// Makes a descriptor known to the ring.
    #[must_use]
    pub fn file(&mut self, fd: OwnedFd) -> File {
        self.slots.add(fd)
    }

    /// The same, without a slot in the ring's table: for a file whose closing somebody waits for. Up to Linux 6.12 the
    /// kernel closes a file that left the table only when every operation has ended that was started before.
    #[must_use]
    pub fn unlisted_file(&mut self, fd: OwnedFd) -> File {
        self.slots.leave_out(fd)
    }

    /// Reads into `chunk` from its byte `from` to its end. The result counts the bytes read, 0 at the file's end.
    pub fn read(&mut self, file: &File, chunk: Chunk, from: usize, offset: u64, tag: u64) {
        self.start(tag, Op::Read { file: file.clone(), chunk, from, offset });
    }

    /// Writes `chunk` from its byte `from` to its end; with `sync` the bytes are on the medium before completion
    /// (`RWF_DSYNC`). The result counts the bytes written.
    pub fn write(&mut self, file: &File, chunk: Chunk, from: usize, offset: u64, sync: bool, tag: u64) {
        self.start(tag, Op::Write { file: file.clone(), chunk, from, offset, sync });
    }

    /// Brings the file's data to the medium (`fdatasync`).
    pub fn sync(&mut self, file: &File, tag: u64) {
        self.start(tag, Op::Sync { file: file.clone() });
    }

    /// Receives what a socket has, into a buffer of the ring's choice. The result counts the bytes, 0 when the peer
    /// sends no more; `ENOBUFS` when every buffer is held.
    pub fn receive(&mut self, file: &File, tag: u64) {
        self.pool.expect();
        self.start(tag, Op::Receive { file: file.clone() });
    }

    /// Sends what is left of `message`. The result counts the bytes sent, possibly fewer than are left.
    pub fn send(&mut self, file: &File, message: Box<Message>, tag: u64) {
        self.start(tag, Op::Send { file: file.clone(), message });
    }

    /// Completes when `file` has something to be read or accepted.
    pub fn readable(&mut self, file: &File, tag: u64) {
        self.start(tag, Op::Readable { file: file.clone() });
    }

    /// Completes after `delay`.
    pub fn timer(&mut self, delay: Duration, tag: u64) {
        self.start(tag, Op::timer(delay));
    }

    /// A command of the file's own kind (`IORING_OP_URING_CMD`), with 8 bytes of arguments, followed by the address of
    /// `chunk`, which the kernel may read or write until the command completes; 0 without one. The twin refuses it. The
    /// result may carry any value from 0 up.
    pub fn command(&mut self, file: &File, code: u32, arguments: [u8; 8], chunk: Option<Chunk>, tag: u64) {
        self.start(tag, Op::Command { file: file.clone(), code, arguments, chunk });
    }

    /// Asks the operations in flight with this tag to end early. Each still completes: with `ECANCELED`, or as if nobody
    /// had asked when it was too late.
    pub fn cancel(&mut self, tag: u64) {
        for number in self.operations.numbers_of(tag) {
            self.engine.cancel(number);
        }
    }

    /// How many operations are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.operations.len()
    }

    /// Starts what was asked for. With `block`, returns when something has completed; else at once.
    ///
    /// # Errors
    /// When the kernel refuses; the operations in flight are then lost to the caller.
    pub fn wait(&mut self, block: bool) -> io::Result<()> {
        self.engine.wait(block && self.ended.is_empty(), &mut self.operations, &mut self.ended)
    }

    /// The next operation that has completed.
    pub fn pop(&mut self) -> Option<Completion> {
        let Ended { number, result, buffer } = self.ended.pop_front()?;
        let (tag, op) = self.operations.remove(number);
        if matches!(op, Op::Receive { .. }) {
            self.pool.ended(buffer.is_some());
        }
        let held = match (op.into_held(), buffer) {
            (_, Some(buffer)) => Held::Received(self.pool.received(buffer, result)),
            (held, None) => held,
        };
        let result = u32::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result));
        Some(Completion { tag, result, held })
    }

    fn start(&mut self, tag: u64, op: Op) {
        let (number, op) = self.operations.insert(tag, op);
        self.engine.start(number, op);
    }
}

impl Drop for Ring {
    /// Ends what is in flight and waits for it, for a while; what does not end is leaked.
    fn drop(&mut self) {
        const PATIENCE: u32 = 2000;
        self.engine.cancel_all();
        for _ in 0..PATIENCE {
            if self.wait(false).is_err() {
                break;
            }
            while self.pop().is_some() {}
            if self.operations.len() == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        tracing::error!(operations = self.operations.len(), "a ring ended with operations in flight; memory is leaked");
        self.operations.leak();
        // The kernel may still fill one of these.
        std::mem::forget(self.pool.clone());
        std::mem::forget(self.arena.clone());
    }
}
