//! One connection in its transmission phase: this thread reads and submits, a second one writes replies.

use std::io::{self, BufReader, Read};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use super::budget::{Budget, Charge};
use super::exports::Exports;
use super::fault::Fault;
use super::limits::{Limits, REQUEST_COST};
use super::negotiate::{Agreed, negotiate};
use super::outbox::{Outbox, Ticket};
use super::pool::Pool;
use super::socket::{Socket, is_timeout};
use super::tls::Tls;
use super::transmission::{Action, Errno, Event, Refusal, Replies, Request, Transmission};
use crate::buf::Buf;
use crate::disk::{Command, Disk, Io, Outcome};

/// Requests are read ahead in pieces of this many bytes; a longer payload goes straight into its buffer.
const READ_AHEAD: usize = 16 << 10;
const SHUTTING_DOWN: Refusal = Refusal::new(Errno::Shutdown, "the server is shutting down");

/// What the connections of a server share.
pub(super) struct Shared {
    pub(super) exports: Exports,
    pub(super) tls: Tls,
    pub(super) limits: Limits,
    /// Bytes in flight over all connections.
    pub(super) budget: Budget,
    /// New requests are refused.
    pub(super) stopping: AtomicBool,
}

/// Serves one connection from the greeting to its end, and until the last of its requests has ended.
pub(super) fn serve(socket: &Arc<Socket>, shared: &Shared) -> Result<(), Fault> {
    let agreed = negotiate(socket, shared.exports.clone(), &shared.tls, shared.limits.handshake)?;
    let Some(Agreed { transport, export, session }) = agreed else { return Ok(()) };
    tracing::debug!(export = export.name, structured = session.structured, "a client begins");
    socket.set_read_timeout(shared.limits.stall)?;
    socket.set_write_timeout(shared.limits.stall)?;

    let outbox = Arc::new(Outbox::new(Replies { structured: session.structured }));
    let pool = Arc::new(Pool::default());
    let writer = {
        let (outbox, pool, socket, mut out) =
            (Arc::clone(&outbox), Arc::clone(&pool), Arc::clone(socket), transport.writer);
        let write = move || outbox.write_to(&mut out, &pool, || socket.shutdown(Shutdown::Both));
        thread::Builder::new().name("nbd-writer".into()).spawn(write)?
    };
    let mut receiver = Receiver {
        reader: BufReader::with_capacity(READ_AHEAD, transport.reader),
        machine: Transmission::new(session),
        begun: None,
        charge: None,
        budget: Budget::new(shared.limits.in_flight_per_connection),
        disk: export.disk,
        outbox: Arc::clone(&outbox),
        pool,
        shared,
    };
    let received = receiver.receive();
    outbox.close();
    let written = writer.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")));
    received.and(written.map_err(Fault::from))
}

/// The receiving half of a connection.
struct Receiver<'a> {
    reader: BufReader<Box<dyn Read + Send>>,
    machine: Transmission,
    /// When the request that is being received began.
    begun: Option<Instant>,
    /// What the write whose payload is being received was charged.
    charge: Option<Charge>,
    budget: Budget,
    disk: Arc<dyn Disk>,
    outbox: Arc<Outbox>,
    pool: Arc<Pool>,
    shared: &'a Shared,
}

impl Receiver<'_> {
    /// Receives and submits until the client leaves.
    fn receive(&mut self) -> Result<(), Fault> {
        loop {
            let received = match self.reader.read(self.machine.space()) {
                Ok(0) if self.machine.is_between_requests() => return Ok(()),
                Ok(0) => return Err(Fault::CutOff),
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if is_timeout(&error) && self.machine.is_between_requests() => continue,
                Err(error) if is_timeout(&error) => return Err(Fault::Stalled),
                Err(error) => return Err(error.into()),
            };
            let event = self.machine.advance(received)?;
            if let Event::Disconnect = event {
                return Ok(());
            }
            self.handle(event);
            self.check_time()?;
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Continue | Event::Disconnect => (),
            Event::WantsBuffer(request) => {
                self.charge = Some(self.acquire(request.payload_len()));
                self.begun = None;
                let refused = self.machine.supply(self.pool.take(request.payload_len() as usize));
                debug_assert!(refused.is_none(), "the pool gives the length that was asked for");
            }
            Event::Write(request, payload) => {
                let charge = self.charge.take().unwrap_or_else(|| self.acquire(0));
                self.run(request, payload, charge);
            }
            Event::Request(request) => {
                let charge = self.acquire(request.payload_len());
                let buf = self.pool.take(request.payload_len() as usize);
                self.run(request, buf, charge);
            }
            Event::Answer { cookie, result } => {
                let ticket = self.outbox.ticket(cookie, self.acquire(0));
                match result {
                    Ok(()) => ticket.done(),
                    Err(refusal) => ticket.refuse(&refusal),
                }
            }
        }
    }

    /// Waits for the bytes that a request needs, here and over all connections.
    fn acquire(&self, payload_len: u32) -> Charge {
        let cost = u64::from(payload_len) + REQUEST_COST;
        [self.budget.acquire(cost), self.shared.budget.acquire(cost)]
    }

    fn run(&self, request: Request, buf: Buf, charge: Charge) {
        let ticket = self.outbox.ticket(request.cookie, charge);
        if self.shared.stopping.load(Ordering::Relaxed) {
            return ticket.refuse(&SHUTTING_DOWN);
        }
        match request.action {
            Action::BlockStatus => ticket.block_status(request.len),
            Action::Disk(command) => {
                let pool = Arc::clone(&self.pool);
                let io = Io { command, offset: request.offset, len: u64::from(request.len), buf };
                self.disk.submit(io, Box::new(move |outcome| complete(&request, command, outcome, ticket, &pool)));
            }
        }
    }

    /// A request that has begun must arrive whole in time, however steadily it trickles.
    fn check_time(&mut self) -> Result<(), Fault> {
        if self.machine.is_between_requests() {
            self.begun = None;
            return Ok(());
        }
        let begun = *self.begun.get_or_insert_with(Instant::now);
        if begun.elapsed() > self.shared.limits.stall { Err(Fault::Stalled) } else { Ok(()) }
    }
}

/// Turns what the disk says into the reply.
fn complete(request: &Request, command: Command, outcome: Outcome, ticket: Ticket, pool: &Pool) {
    match (outcome.result, command) {
        (Ok(()), Command::Read) => return ticket.data(request.offset, request.len, outcome.buf),
        (Ok(()), _) => ticket.done(),
        (Err(error), _) => {
            tracing::debug!(?command, offset = request.offset, len = request.len, %error, "a request failed");
            ticket.refuse(&Refusal::from(&error));
        }
    }
    pool.put(outcome.buf);
}
