//! The transmission phase of a connection: requests in, pieces of them to the disk, replies out.
//!
//! A request of any length is done in pieces of at most a chunk ([`MAX_CHUNK`]), so that one part is on the disk while
//! the next is being encrypted or received, and memory is bounded: a connection holds at most [`WINDOW`] bytes.
//!
//! | reply of a read | how |
//! |---|---|
//! | structured | each piece as a chunk of its own when it is there, in any order |
//! | simple, or in one chunk by the client's wish | all pieces together, in order |
//! | the same, longer than the window | in order as they come; a piece that fails cuts the connection, since the protocol has no way left to say so |

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::incoming::Incoming;
use super::outgoing::Outgoing;
use crate::buf::arena::{CLASSES, Chunk, MAX_CHUNK};
use crate::disk::{Command, IoError};
use crate::export::nbd::fault::Fault;
use crate::export::nbd::shared::Shared;
use crate::export::nbd::transmission::{Action, Errno, Event, Refusal, Replies, Request, Session, Transmission};
use crate::limits::in_memory;
use crate::table::Table;
use crate::volume::{Counter, Finished, Job, Slow};
use crate::worker::Context;

/// Bytes of memory that one connection's requests may hold.
pub(super) const WINDOW: usize = 4 << 20;
/// Requests of one connection that may be in flight.
const MAX_REQUESTS: usize = 1024;
const SHUTTING_DOWN: Refusal = Refusal::new(Errno::Shutdown, "the server is shutting down");

/// See the module.
pub(super) struct Serving {
    pub(super) disk: usize,
    session: Session,
    pub(super) machine: Transmission,
    replies: Replies,
    shared: Arc<Shared>,
    pub(super) requests: Table<Answering>,
    pieces: Table<Piece>,
    /// A read whose pieces have not all started.
    reading: Option<Reading>,
    /// A write whose payload is being received.
    pub(super) incoming: Option<Incoming>,
    /// Bytes of chunks that this connection holds.
    held: usize,
    leaving: bool,
    /// The export was taken away.
    retired: bool,
}

/// What was read, and which of its bytes were asked for.
type Data = (Chunk, Range<usize>);

/// A request in flight.
pub(super) struct Answering {
    request: Request,
    /// Pieces that have started and not ended.
    pub(super) pieces: u32,
    /// No further piece will start.
    pub(super) all_started: bool,
    pub(super) refusal: Option<Refusal>,
    /// The pieces of a read that is answered in one piece: in order, those that have ended with their data.
    in_order: VecDeque<(u32, Option<Data>)>,
    head_sent: bool,
}

/// A part of a request that is on the disk.
struct Piece {
    request: u32,
    /// Bytes of memory that are given back when it has ended well and is not sent, or has failed.
    held: usize,
    /// Of a read: which of the chunk's bytes were asked for, and the offset of the first.
    read: Option<(Range<usize>, u64)>,
}

struct Reading {
    request: u32,
    at: u64,
    end: u64,
}

impl Serving {
    pub(super) fn new(disk: usize, session: Session, shared: Arc<Shared>) -> Self {
        Self {
            disk,
            session,
            machine: Transmission::new(session),
            replies: Replies { structured: session.structured },
            shared,
            requests: Table::default(),
            pieces: Table::default(),
            reading: None,
            incoming: None,
            held: 0,
            leaving: false,
            retired: false,
        }
    }

    /// The client has said goodbye.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// Nothing new is begun from now on; what has begun is answered.
    pub(super) fn retire(&mut self) {
        self.retired = true;
    }

    pub(super) fn is_between_requests(&self) -> bool {
        self.machine.is_between_requests()
    }

    /// Whether every request was answered.
    pub(super) fn is_idle(&self) -> bool {
        self.requests.len() == 0
    }

    pub(super) fn has_no_operation(&self) -> bool {
        self.pieces.len() == 0
    }

    /// Nothing further is to be started, since nobody will hear of it.
    pub(super) fn give_up(&mut self) {
        self.reading = None;
        self.incoming = None;
    }

    /// Disk data has left, so its memory is free again.
    pub(super) fn release(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }

    /// The disk may have grown.
    pub(super) fn look_at_disk(&mut self, cx: &Context<'_>) {
        let geometry = cx.disk(self.disk).volume().geometry();
        if geometry != self.session.geometry {
            self.session.geometry = geometry;
            self.machine.set_geometry(geometry);
        }
    }

    /// Uses up what it can of `input`.
    pub(super) fn take(&mut self, input: &mut &[u8], out: &mut Outgoing, cx: &mut Context<'_>) -> Result<(), Fault> {
        while self.resume(out, cx) && !input.is_empty() && !self.leaving {
            if self.machine.payload_left() > 0 {
                if !self.take_payload(input, out, cx) {
                    break;
                }
                continue;
            }
            match self.machine.advance(input)? {
                Event::Continue => (),
                Event::Request(request) => self.begin(request, out, cx),
                Event::Answer { cookie, result: Ok(()) } => out.text(&self.replies.done(cookie)),
                Event::Answer { cookie, result: Err(refusal) } => out.text(&self.replies.refused(cookie, &refusal)),
                Event::Disconnect => {
                    self.leaving = true;
                    *input = &[];
                }
            }
        }
        Ok(())
    }

    /// Goes on with what there was no room for. Whether there is room for more.
    pub(super) fn resume(&mut self, out: &mut Outgoing, cx: &mut Context<'_>) -> bool {
        if let Some(reading) = self.reading.take()
            && !self.read_on(reading, out, cx)
        {
            return false;
        }
        self.requests.len() < MAX_REQUESTS && out.backlog() < WINDOW
    }

    fn begin(&mut self, request: Request, out: &mut Outgoing, cx: &mut Context<'_>) {
        let Request { cookie, action, offset, len, .. } = request;
        self.count(&request, cx);
        let stopping = self.retired || self.shared.is_stopping();
        let refusal = stopping.then_some(SHUTTING_DOWN);
        let command = match action {
            Action::Disk(Command::Write { fua }) => {
                let number = self.answering(request, refusal);
                self.incoming = Some(Incoming::new(number, offset, fua, stopping));
                return;
            }
            _ if stopping => return out.text(&self.replies.refused(cookie, &SHUTTING_DOWN)),
            Action::BlockStatus => return out.text(&self.replies.block_status(cookie, len)),
            Action::Disk(Command::Cache) => return out.text(&self.replies.done(cookie)),
            Action::Disk(command) => command,
        };
        let number = self.answering(request, None);
        let len = u64::from(len);
        let job = match command {
            Command::Read => {
                self.read_on(Reading { request: number, at: offset, end: offset + len }, out, cx);
                return;
            }
            Command::WriteZeroes { fua } => Job::Slow(Slow::WriteZeroes { offset, len, fua }),
            Command::Trim { fua } => Job::Slow(Slow::Trim { offset, len, fua }),
            Command::Flush | Command::Write { .. } | Command::Cache => Job::Flush,
        };
        self.start(number, job, 0, None, cx);
        if let Some(answering) = self.requests.get_mut(number) {
            answering.all_started = true;
        }
    }

    fn count(&self, request: &Request, cx: &Context<'_>) {
        let counter = match request.action {
            Action::Disk(Command::Read) => Counter::UnalignedReads,
            Action::Disk(Command::Write { .. }) => Counter::UnalignedWrites,
            _ => return,
        };
        let sector = u64::from(self.session.geometry.sector_size.bytes());
        if !(request.offset | u64::from(request.len)).is_multiple_of(sector) {
            cx.disk(self.disk).count_unaligned(counter);
        }
    }

    fn answering(&mut self, request: Request, refusal: Option<Refusal>) -> u32 {
        let in_order = VecDeque::new();
        self.requests.insert(Answering { request, pieces: 0, all_started: false, refusal, in_order, head_sent: false })
    }

    /// Starts pieces of a read for as long as there is room; whether all have started. Otherwise the rest waits.
    fn read_on(&mut self, mut reading: Reading, out: &mut Outgoing, cx: &mut Context<'_>) -> bool {
        let sector = u64::from(self.session.geometry.sector_size.bytes());
        while reading.at < reading.end {
            let first = reading.at - reading.at % sector;
            let limit = (first / MAX_CHUNK as u64 + 1) * MAX_CHUNK as u64;
            let want = in_memory(reading.end.next_multiple_of(sector).min(limit) - first);
            let Some(chunk) = self.chunk(want, cx) else {
                // What is kept together until all of it is there may be what takes the room.
                self.send_in_order(reading.request, true, out);
                self.reading = Some(reading);
                return false;
            };
            let stop = reading.end.min(first + chunk.len() as u64);
            let inside = in_memory(reading.at - first)..in_memory(stop - first);
            let (request, at) = (reading.request, reading.at);
            reading.at = stop;
            if let Some(answering) = self.requests.get_mut(request) {
                answering.all_started = reading.at == reading.end;
            }
            let held = chunk.len();
            self.start(request, Job::Read { offset: first, chunk }, held, Some((inside, at)), cx);
        }
        true
    }

    /// A chunk of `want` bytes, or of as many fewer as there is one for; `None` when this connection holds enough, or
    /// none is left. A connection that holds nothing gets at least a short one as long as others hold only what they
    /// need to go on.
    pub(super) fn chunk(&mut self, want: usize, cx: &mut Context<'_>) -> Option<Chunk> {
        if self.held > 0 && self.held + want > WINDOW {
            return None;
        }
        let (arena, shortest) = (cx.ring.arena(), CLASSES[0].len);
        let chunk = CLASSES.iter().rev().find_map(|class| arena.take_spare(want.min(class.len)));
        let chunk = chunk.or_else(|| if self.held == 0 { arena.take(want.min(shortest)) } else { None });
        match &chunk {
            Some(chunk) => self.held += chunk.len(),
            None => cx.starve(),
        }
        chunk
    }

    /// Starts a piece on the disk.
    pub(super) fn start(
        &mut self,
        request: u32,
        job: Job,
        held: usize,
        read: Option<(Range<usize>, u64)>,
        cx: &mut Context<'_>,
    ) {
        let is_read = read.is_some();
        let piece = self.pieces.insert(Piece { request, held, read });
        let replies = self.replies;
        if let Some(answering) = self.requests.get_mut(request) {
            // The only piece of a read needs no place: nothing comes before or after it.
            let is_only = answering.all_started && answering.pieces == 0 && answering.in_order.is_empty();
            answering.pieces += 1;
            if is_read && (!is_only || answering.head_sent) && answering.is_in_order(replies) {
                answering.in_order.push_back((piece, None));
            }
        }
        cx.start(self.disk, job, piece);
    }

    /// A piece has ended.
    pub(super) fn on_disk(
        &mut self,
        op: u32,
        finished: Finished,
        out: &mut Outgoing,
        cx: &mut Context<'_>,
    ) -> Result<(), Fault> {
        let Some(piece) = self.pieces.remove(op) else { return Ok(()) };
        let replies = self.replies;
        let Some(answering) = self.requests.get_mut(piece.request) else {
            self.held = self.held.saturating_sub(piece.held);
            return Ok(());
        };
        answering.pieces -= 1;
        let mut to_be_sent = 0;
        match (finished.result, piece.read, finished.payload) {
            (Ok(()), Some((inside, at)), Some(chunk)) => {
                to_be_sent = inside.len();
                if answering.is_in_order(replies) {
                    if let Some(place) = answering.in_order.iter_mut().find(|(number, _)| *number == op) {
                        place.1 = Some((chunk, inside));
                    } else {
                        let Request { cookie, offset, len, .. } = answering.request;
                        out.text(&replies.read(cookie, offset, len));
                        out.chunk(chunk, inside);
                    }
                } else {
                    let last = answering.pieces == 0 && answering.all_started && answering.refusal.is_none();
                    let len = u32::try_from(inside.len()).unwrap_or(u32::MAX);
                    out.text(&replies.read_chunk(answering.request.cookie, at, len, last));
                    out.chunk(chunk, inside);
                }
            }
            (Err(error), _, _) => answering.fail(&error),
            (Ok(()), _, _) => (),
        }
        // What is sent stays held until it has left; the rest of its chunk is small, and not counted any more.
        self.held = self.held.saturating_sub(piece.held - to_be_sent.min(piece.held));
        self.send_in_order(piece.request, false, out);
        self.answer(piece.request, out)?;
        self.resume(out, cx);
        Ok(())
    }

    /// Sends what a read that is answered in one piece can send: all of it once it is there, or, when room is short,
    /// from its beginning as far as it is there.
    fn send_in_order(&mut self, request: u32, short: bool, out: &mut Outgoing) {
        let replies = self.replies;
        let Some(answering) = self.requests.get_mut(request) else { return };
        let complete = answering.pieces == 0 && answering.all_started;
        if answering.in_order.is_empty() || answering.refusal.is_some() || !(complete || short || answering.head_sent) {
            return;
        }
        while let Some((_, Some(_))) = answering.in_order.front() {
            let Some((_, Some((chunk, inside)))) = answering.in_order.pop_front() else { return };
            if !answering.head_sent {
                answering.head_sent = true;
                let Request { cookie, offset, len, .. } = answering.request;
                out.text(&replies.read(cookie, offset, len));
            }
            out.chunk(chunk, inside);
        }
    }

    /// Answers a request of which nothing is in flight any more, unless its data was the answer.
    pub(super) fn answer(&mut self, number: u32, out: &mut Outgoing) -> Result<(), Fault> {
        let replies = self.replies;
        match self.requests.get_mut(number) {
            Some(answering) if answering.pieces == 0 && answering.all_started => (),
            _ => return Ok(()),
        }
        let Some(answering) = self.requests.remove(number) else { return Ok(()) };
        let cookie = answering.request.cookie;
        match (&answering.refusal, answering.request.action) {
            (Some(_), _) if answering.head_sent => return Err(Fault::ReadFailed),
            (Some(refusal), _) => {
                out.text(&replies.refused(cookie, refusal));
                let kept = answering.in_order.iter().filter_map(|(_, data)| data.as_ref());
                let kept: usize = kept.map(|(_, inside)| inside.len()).sum();
                self.held = self.held.saturating_sub(kept);
            }
            (None, Action::Disk(Command::Read)) => (),
            (None, _) => out.text(&replies.done(cookie)),
        }
        Ok(())
    }
}

impl Answering {
    /// Whether a read is answered in one piece.
    fn is_in_order(&self, replies: Replies) -> bool {
        !replies.structured || self.request.in_one_chunk
    }

    pub(super) fn fail(&mut self, error: &IoError) {
        let Request { action, offset, len, .. } = self.request;
        tracing::debug!(?action, offset, len, %error, "a request failed");
        self.refusal.get_or_insert_with(|| Refusal::from(error));
    }
}
