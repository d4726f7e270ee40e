//! Requests at work: cut in pieces, each with memory of its own, that run at the same time and end in any order.
//!
//! | request | piece |
//! |---|---|
//! | read | a chunk, read and decrypted by the disk, then copied to guest memory |
//! | write of whole sectors | a chunk, copied from guest memory, encrypted in place, written |
//! | write of anything else | a buffer, copied likewise, for the slow lane |
//! | flush, discard, write zeroes | no memory |
//!
//! When no memory is left, the request waits with what is left of it, and the queue with everything behind it.

use super::chain::Chain;
use super::memory::Memory;
use super::request::{HEADER_LEN, Status, Task};
use crate::buf::Buf;
use crate::buf::arena::{Chunk, MAX_CHUNK};
use crate::limits::in_memory;
use crate::table::Table;
use crate::volume::{Finished, Job, Slow};
use crate::worker::Context;

/// Pieces of a queue that may be in the slow lane: what bounds the memory they take.
const MAX_SLOW: usize = 16;

/// The requests of one queue.
pub(super) struct Transfers {
    disk: usize,
    write_through: bool,
    requests: Table<Request>,
    pieces: Table<Piece>,
    /// The request that is not wholly started.
    current: Option<u32>,
    slow: usize,
    done: Vec<Done>,
    /// Chains to be filled again.
    spare: Vec<Chain>,
}

/// A request that is over: its status is written, and so many bytes of its memory in all.
pub(super) struct Done {
    pub(super) head: u16,
    pub(super) written: u32,
}

struct Request {
    head: u16,
    chain: Chain,
    task: Task,
    /// Bytes, or ranges, for which pieces were started.
    started: usize,
    /// Pieces in flight.
    pieces: usize,
    status: Status,
}

struct Piece {
    request: u32,
    /// Of a read: where the bytes go.
    copy: Option<Copy>,
    is_slow: bool,
}

/// The bytes of a chunk that a guest asked for.
struct Copy {
    /// First byte in the chunk.
    from: usize,
    len: usize,
    /// Where in the request's data.
    to: usize,
}

/// What came of an attempt to start a piece.
enum Started {
    Yes,
    /// There is no memory.
    Starved,
    /// Nothing is left to start.
    All,
}

impl Transfers {
    pub(super) fn new(disk: usize, write_through: bool) -> Self {
        Self {
            disk,
            write_through,
            requests: Table::default(),
            pieces: Table::default(),
            current: None,
            slow: 0,
            done: Vec::new(),
            spare: Vec::new(),
        }
    }

    pub(super) fn is_write_through(&self) -> bool {
        self.write_through
    }

    /// Whether nothing is in flight or waits.
    pub(super) fn is_idle(&self) -> bool {
        self.requests.len() == 0 && self.done.is_empty()
    }

    /// A chain to be filled.
    pub(super) fn chain(&mut self) -> Chain {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes a request in, to be started by [`Self::advance`]; nothing else waits to be.
    pub(super) fn begin(&mut self, head: u16, chain: Chain, task: Result<Task, Status>) {
        let (task, status) = match task {
            Ok(task) => (task, Status::Ok),
            Err(status) => (Task::Slow(Vec::new()), status),
        };
        self.current = Some(self.requests.insert(Request { head, chain, task, started: 0, pieces: 0, status }));
    }

    /// Gives back a chain that is no request.
    pub(super) fn reject(&mut self, head: u16, chain: Chain) {
        self.spare.push(chain);
        self.done.push(Done { head, written: 0 });
    }

    /// Starts what waits. Whether all of it could be.
    pub(super) fn advance(&mut self, memory: &Memory, cx: &mut Context<'_>) -> bool {
        let Some(number) = self.current else { return true };
        loop {
            match self.start_piece(number, memory, cx) {
                Started::Yes => (),
                Started::Starved => return false,
                Started::All => break,
            }
        }
        self.current = None;
        self.end_if_over(number, memory);
        true
    }

    /// A piece has ended.
    pub(super) fn on_disk(&mut self, op: u32, finished: Finished, memory: &Memory) {
        let Some(piece) = self.pieces.remove(op) else { return };
        self.slow -= usize::from(piece.is_slow);
        let Some(request) = self.requests.get_mut(piece.request) else { return };
        request.pieces -= 1;
        let is_whole = match (finished.result, piece.copy, finished.payload) {
            (Ok(()), Some(copy), Some(chunk)) => {
                request.chain.writable.write(memory, copy.to, &chunk[copy.from..copy.from + copy.len])
            }
            (result, _, _) => result.is_ok(),
        };
        if !is_whole {
            request.status = Status::Failed;
        }
        self.end_if_over(piece.request, memory);
    }

    /// The next request that is over.
    pub(super) fn pop(&mut self) -> Option<Done> {
        self.done.pop()
    }

    fn start_piece(&mut self, number: u32, memory: &Memory, cx: &mut Context<'_>) -> Started {
        let Some(request) = self.requests.get_mut(number) else { return Started::All };
        if request.status != Status::Ok {
            // What failed already is not begun any further.
            return Started::All;
        }
        let volume = cx.disk(self.disk).volume();
        let sector = in_memory(volume.geometry().sector_size.bytes().into());
        let made = match &mut request.task {
            Task::Read { offset, len } => read(*offset, *len, request.started, sector, cx),
            Task::Write { offset, len } => {
                let (at, left) = (*offset + request.started as u64, *len - request.started);
                let from = HEADER_LEN + request.started;
                let plain = Plain { chain: &request.chain, memory, from };
                if !is_aligned(*offset, sector) || !len.is_multiple_of(sector) {
                    partial_write(at, left, &plain, self.slow, self.write_through)
                } else {
                    write(at, left, &plain, self.disk, self.write_through, cx)
                }
            }
            Task::Flush if request.started == 0 => Made::Piece(Job::Flush, 1, None),
            Task::Slow(_) if self.slow >= MAX_SLOW => Made::Starved,
            Task::Slow(operations) => {
                operations.pop().map_or(Made::Nothing, |slow| Made::Piece(Job::Slow(slow), 1, None))
            }
            Task::Flush => Made::Nothing,
            Task::Id(id) => {
                let len = id.len().min(request.chain.writable.len() - 1);
                if !request.chain.writable.write(memory, 0, &id[..len]) {
                    request.status = Status::Failed;
                }
                Made::Nothing
            }
        };
        match made {
            Made::Piece(job, count, copy) => {
                request.started += count;
                request.pieces += 1;
                let is_slow = matches!(job, Job::Slow(_));
                self.slow += usize::from(is_slow);
                let op = self.pieces.insert(Piece { request: number, copy, is_slow });
                cx.start(self.disk, job, op);
                Started::Yes
            }
            Made::Starved => Started::Starved,
            Made::Nothing => Started::All,
            Made::Unreadable => {
                request.status = Status::Failed;
                Started::All
            }
        }
    }

    fn end_if_over(&mut self, number: u32, memory: &Memory) {
        let is_over = self.current != Some(number) && self.requests.get_mut(number).is_some_and(|it| it.pieces == 0);
        if !is_over {
            return;
        }
        let Some(request) = self.requests.remove(number) else { return };
        let Request { head, chain, task, status, .. } = request;
        let room = chain.writable.len() - 1;
        let data = match task {
            Task::Read { len, .. } => len,
            Task::Id(id) => id.len().min(room),
            _ => 0,
        };
        // The status is in the last byte; where there is no memory, nobody can be told.
        chain.writable.write(memory, room, &[status as u8]);
        self.done.push(Done { head, written: u32::try_from(data + 1).unwrap_or(u32::MAX) });
        self.spare.push(chain);
    }
}

/// What the next piece of a request is.
enum Made {
    /// A job, how far the request is started by it, and where its bytes go.
    Piece(Job, usize, Option<Copy>),
    Starved,
    Nothing,
    /// The guest's data is not in its memory.
    Unreadable,
}

/// Where a write's plaintext is.
struct Plain<'a> {
    chain: &'a Chain,
    memory: &'a Memory,
    /// First byte in the readable part of the chain.
    from: usize,
}

impl Plain<'_> {
    /// The one time that it is read.
    fn read(&self, out: &mut [u8]) -> bool {
        self.chain.readable.read(self.memory, self.from, out)
    }
}

/// The sectors that cover the next bytes of a read.
fn read(offset: u64, len: usize, started: usize, sector: usize, cx: &Context<'_>) -> Made {
    if started == len {
        return Made::Nothing;
    }
    let at = offset + started as u64;
    let first = at - at % sector as u64;
    let from = in_memory(at - first);
    let covering = (from + len - started).next_multiple_of(sector).min(MAX_CHUNK);
    let Some(chunk) = cx.ring.arena().take(covering) else { return Made::Starved };
    let count = (covering - from).min(len - started);
    Made::Piece(Job::Read { offset: first, chunk }, count, Some(Copy { from, len: count, to: started }))
}

/// A write of whole sectors.
fn write(at: u64, left: usize, plain: &Plain<'_>, disk: usize, fua: bool, cx: &Context<'_>) -> Made {
    if left == 0 {
        return Made::Nothing;
    }
    let len = left.min(MAX_CHUNK);
    let Some(mut chunk): Option<Chunk> = cx.ring.arena().take(len) else { return Made::Starved };
    if !plain.read(&mut chunk) {
        return Made::Unreadable;
    }
    cx.disk(disk).seal(at, &mut chunk);
    Made::Piece(Job::Write { offset: at, chunk, fua }, len, None)
}

/// A write of anything else.
fn partial_write(at: u64, left: usize, plain: &Plain<'_>, slow: usize, fua: bool) -> Made {
    match left {
        0 => return Made::Nothing,
        _ if slow >= MAX_SLOW => return Made::Starved,
        _ => (),
    }
    let len = left.min(MAX_CHUNK);
    let mut buf = Buf::zeroed(len);
    if !plain.read(buf.as_mut_slice()) {
        return Made::Unreadable;
    }
    Made::Piece(Job::Slow(Slow::Write { offset: at, buf, fua }), len, None)
}

fn is_aligned(offset: u64, sector: usize) -> bool {
    offset.is_multiple_of(sector as u64)
}
