//! One connection, as a port of a worker: from the greeting to its end.
//!
//! ```text
//!  ring.receive ──▶ channel (TLS?) ──▶ handshake │ serving ──▶ disks
//!  ring.send    ◀── channel (TLS?) ◀── outgoing  ◀──────────── finished, in any order
//! ```
//! Replies gather in one message while the previous one is being sent, so many small ones leave with one call. When
//! there is no room for more work the connection stops receiving, and its client feels it.

mod channel;
mod incoming;
mod outgoing;
mod serving;

use std::io;
use std::net::Shutdown;
use std::ops::{Deref, DerefMut};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use super::accept::Place;
use super::fault::Fault;
use super::handshake::{Handshake, Next};
use super::shared::Shared;
use super::tls::TlsFault;
use crate::ring::{File, Held, Received};
use crate::volume::Finished;
use crate::worker::{Context, Leave, Port, TICK};
use channel::{Channel, Taken};
use outgoing::Outgoing;
use serving::Serving;

/// Operations on the ring; the names of those on disks count up from 0.
const RECEIVE: u32 = u32::MAX;
const SEND: u32 = u32::MAX - 1;

/// A client.
pub(super) struct Connection {
    socket: Socket,
    shared: Arc<Shared>,
    channel: Channel,
    phase: Phase,
    /// What was received and not used up yet, from that byte on.
    input: Option<(Input, usize)>,
    outgoing: Outgoing,
    receiving: bool,
    /// Ticks since the client owes us something: the rest of a handshake or of a request.
    waiting: u32,
    /// Whether nothing more is to be received, and how it ends.
    end: Option<End>,
    closed: bool,
    _place: Place,
}

/// ```text
///  Handshake ── export chosen ──▶ Serving            (Phase)
///      │                             │
///      │ abort, TLS refused          │ goodbye, its side ended between requests
///      ├──────────────────▶ Polite ◀─┤               (End) nothing more is received; what is in flight is answered
///      │ stop, fault, too late       │ fault, late,
///      └──────────────────▶ Cut ◀────┘ ended inside a request: nothing more is sent either
///                Polite, Cut ──▶ closed ── nothing left on ring or disk ──▶ over
/// ```
enum Phase {
    Handshake(Box<Handshake>),
    Serving(Box<Serving>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// What is in flight is answered first.
    Polite,
    /// At once.
    Cut,
}

/// Bytes that were received.
enum Input {
    /// In the ring's buffer.
    Received(Received),
    /// In memory of our own: it has lain there so long that others may need the buffer.
    Kept(Vec<u8>),
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Received(bytes) => bytes,
            Self::Kept(bytes) => bytes,
        }
    }
}

impl DerefMut for Input {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Received(bytes) => bytes,
            Self::Kept(bytes) => bytes,
        }
    }
}

/// The socket, before and after the ring knows it.
enum Socket {
    New(Option<OwnedFd>),
    Known(File),
}

impl Connection {
    /// A connection that has just been accepted.
    pub(super) fn new(socket: OwnedFd, shared: Arc<Shared>, place: Place) -> Self {
        let handshake = Handshake::new(shared.exports.clone(), shared.tls.mode());
        Self {
            socket: Socket::New(Some(socket)),
            shared,
            channel: Channel::Plain,
            phase: Phase::Handshake(Box::new(handshake)),
            input: None,
            outgoing: Outgoing::default(),
            receiving: false,
            waiting: 0,
            end: None,
            closed: false,
            _place: place,
        }
    }

    fn file(&self) -> Option<&File> {
        if let Socket::Known(file) = &self.socket { Some(file) } else { None }
    }

    /// Ends the connection because of a fault.
    fn fail(&mut self, fault: &Fault) {
        if self.end != Some(End::Cut) {
            tracing::info!(%fault, "a connection was cut");
        }
        self.cut();
    }

    fn cut(&mut self) {
        self.end = Some(End::Cut);
        self.input = None;
        self.outgoing.clear();
        if let Phase::Serving(serving) = &mut self.phase {
            serving.give_up();
        }
        self.close(Shutdown::Both);
    }

    fn close(&mut self, how: Shutdown) {
        self.closed |= how == Shutdown::Both;
        let how = match how {
            Shutdown::Read => rustix::net::Shutdown::Read,
            Shutdown::Write => rustix::net::Shutdown::Write,
            Shutdown::Both => rustix::net::Shutdown::Both,
        };
        if let Some(file) = self.file()
            && let Err(error) = rustix::net::shutdown(file, how)
        {
            tracing::trace!(%error, "shutdown of a socket that is gone");
        }
    }

    /// Uses up what was received, as far as there is room for what comes of it.
    fn digest(&mut self, cx: &mut Context<'_>) {
        let Some((mut received, from)) = self.input.take() else { return };
        let mut rest = &mut received[from..];
        let result = self.use_up(&mut rest, cx);
        let left = rest.len();
        match result {
            Ok(Taken::All) => (),
            Ok(Taken::Stopped) => {
                let from = received.len() - left;
                self.input = Some((received, from));
            }
            Err(fault @ Fault::Tls(_)) => {
                // The client is told why, by the session, if it still listens.
                tracing::info!(%fault, "a connection ends");
                self.outgoing.forget_gathered();
                self.end = Some(End::Polite);
            }
            Err(fault) => self.fail(&fault),
        }
    }

    fn use_up(&mut self, rest: &mut &mut [u8], cx: &mut Context<'_>) -> Result<Taken, Fault> {
        loop {
            let Self { channel, phase, outgoing, .. } = self;
            let mut next = Next::Continue;
            let taken = match phase {
                Phase::Handshake(handshake) => channel.receive(rest, |plain| {
                    next = negotiate(handshake, plain, outgoing)?;
                    Ok(())
                })?,
                Phase::Serving(serving) => channel.receive(rest, |plain| serving.take(plain, outgoing, cx))?,
            };
            match next {
                Next::Continue => {
                    if let Phase::Serving(serving) = phase
                        && serving.is_leaving()
                    {
                        self.end = Some(End::Polite);
                        return Ok(Taken::All);
                    }
                    return Ok(taken);
                }
                Next::Close => {
                    self.end = Some(End::Polite);
                    return Ok(Taken::All);
                }
                // What the client has sent already is read by whoever comes next: TLS, or the transmission phase.
                Next::StartTls => {
                    // The reply goes out in the clear, before anything of the session.
                    self.outgoing.seal();
                    let session = self.shared.tls.session().map_err(TlsFault::from)?;
                    self.channel = Channel::Tls(Box::new(session));
                    if let Phase::Handshake(handshake) = &mut self.phase {
                        handshake.secured();
                    }
                }
                Next::Transmit(export, session) => {
                    // It may have been taken away since it was named.
                    let disk = cx.find(&export.volume).ok_or(Fault::Removed)?;
                    tracing::debug!(export = %export.name, structured = session.structured, "a client begins");
                    self.waiting = 0;
                    self.phase = Phase::Serving(Box::new(Serving::new(disk, session, Arc::clone(&self.shared))));
                }
            }
        }
    }

    /// The client has ended its side.
    fn hang_up(&mut self) {
        match &self.phase {
            Phase::Serving(serving) if !serving.is_between_requests() => self.fail(&Fault::CutOff),
            Phase::Handshake(_) => self.cut(),
            Phase::Serving(_) => self.end = self.end.or(Some(End::Polite)),
        }
    }

    fn receive(&mut self, cx: &mut Context<'_>) {
        if self.receiving || self.input.is_some() || self.end.is_some() {
            return;
        }
        if let Socket::Known(file) = &self.socket {
            self.receiving = true;
            let tag = cx.tag(RECEIVE);
            cx.ring.receive(file, tag);
        }
    }

    fn send(&mut self, cx: &mut Context<'_>) {
        if let Socket::Known(file) = &self.socket
            && let Err(fault) = self.outgoing.send(&mut self.channel, file, cx)
        {
            self.fail(&fault);
        }
    }

    /// Ends a connection whose last reply has left.
    fn end_politely(&mut self, cx: &mut Context<'_>) {
        if self.end != Some(End::Polite) || self.closed || self.input.is_some() {
            return;
        }
        let busy = matches!(&self.phase, Phase::Serving(serving) if !serving.is_idle());
        if busy || !self.outgoing.is_idle() {
            return;
        }
        self.channel.close();
        if self.channel.wants_to_send() {
            return self.send(cx);
        }
        self.close(Shutdown::Both);
    }

    /// Whether the client has owed something for longer than it may.
    fn is_late(&mut self) -> Option<Fault> {
        let limits = &self.shared.limits;
        let late = |ticks: u32, limit: Duration| TICK * ticks.saturating_sub(1) > limit;
        match &self.phase {
            Phase::Handshake(_) => {
                self.waiting += 1;
                late(self.waiting, limits.handshake).then_some(Fault::HandshakeTime)
            }
            Phase::Serving(serving) => {
                // While we are the ones who have no room, the client owes nothing.
                let owes = !serving.is_between_requests() && self.input.is_none();
                self.waiting = if owes { self.waiting + 1 } else { 0 };
                late(self.waiting.max(self.outgoing.ticks()), limits.stall).then_some(Fault::Stalled)
            }
        }
    }
}

/// Lets the handshake read what it wants of `plain`, until it has led to something.
fn negotiate(handshake: &mut Handshake, plain: &mut &[u8], outgoing: &mut Outgoing) -> Result<Next, Fault> {
    let mut out = Vec::new();
    while !plain.is_empty() {
        let space = handshake.space();
        let len = space.len().min(plain.len());
        space[..len].copy_from_slice(&plain[..len]);
        *plain = &plain[len..];
        let next = handshake.advance(len, &mut out)?;
        outgoing.text(&out);
        out.clear();
        if !matches!(next, Next::Continue) {
            return Ok(next);
        }
    }
    Ok(Next::Continue)
}

impl Port for Connection {
    fn begin(&mut self, cx: &mut Context<'_>) {
        if let Socket::New(fd) = &mut self.socket
            && let Some(fd) = fd.take()
        {
            self.socket = Socket::Known(cx.ring.unlisted_file(fd));
        }
        self.outgoing.text(&Handshake::greeting());
    }

    fn on_ring(&mut self, op: u32, result: io::Result<u32>, held: Held, cx: &mut Context<'_>) {
        match (op, held) {
            (RECEIVE, held) => {
                self.receiving = false;
                match (result, held) {
                    _ if self.end == Some(End::Cut) => (),
                    (Ok(1..), Held::Received(received)) => {
                        self.input = Some((Input::Received(received), 0));
                        self.digest(cx);
                    }
                    (Ok(_), _) => self.hang_up(),
                    (Err(error), _) => match rustix::io::Errno::from_io_error(&error) {
                        // Every buffer is in use: others will give theirs back.
                        Some(rustix::io::Errno::NOBUFS) => cx.starve(),
                        Some(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => (),
                        _ => self.fail(&error.into()),
                    },
                }
            }
            (SEND, Held::Message(message)) => {
                let released = self.outgoing.sent(message, &result);
                if let Phase::Serving(serving) = &mut self.phase {
                    serving.release(released);
                }
                if let Err(error) = result
                    && self.end != Some(End::Cut)
                {
                    self.fail(&error.into());
                }
            }
            _ => tracing::error!(op, "a connection was told of an operation that it did not start"),
        }
    }

    fn on_disk(&mut self, op: u32, finished: Finished, cx: &mut Context<'_>) {
        let Phase::Serving(serving) = &mut self.phase else { return };
        if let Err(fault) = serving.on_disk(op, finished, &mut self.outgoing, cx) {
            self.fail(&fault);
        }
    }

    fn settle(&mut self, cx: &mut Context<'_>) {
        if self.end != Some(End::Cut) {
            if let Phase::Serving(serving) = &mut self.phase {
                serving.resume(&mut self.outgoing, cx);
            }
            self.digest(cx);
            self.receive(cx);
            self.send(cx);
            self.end_politely(cx);
        }
    }

    fn on_tick(&mut self, cx: &mut Context<'_>) {
        if let Phase::Serving(serving) = &mut self.phase {
            serving.look_at_disk(cx);
        }
        self.outgoing.tick();
        if let Some((Input::Received(received), from)) = &self.input {
            self.input = Some((Input::Kept(received[*from..].to_vec()), 0));
        }
        if self.end != Some(End::Cut)
            && let Some(fault) = self.is_late()
        {
            self.fail(&fault);
        }
    }

    fn stop(&mut self, _: &mut Context<'_>) {
        match &self.phase {
            Phase::Serving(_) if !self.shared.is_cutting() => self.close(Shutdown::Read),
            _ => self.cut(),
        }
    }

    fn leave(&mut self, how: Leave, _: &mut Context<'_>) {
        match (&mut self.phase, how) {
            (Phase::Serving(serving), Leave::InOrder) => {
                serving.retire();
                self.close(Shutdown::Read);
            }
            _ => self.cut(),
        }
    }

    fn disk(&self) -> Option<usize> {
        if let Phase::Serving(serving) = &self.phase { Some(serving.disk) } else { None }
    }

    fn is_over(&self) -> bool {
        let idle = match &self.phase {
            Phase::Handshake(_) => true,
            Phase::Serving(serving) => serving.has_no_operation(),
        };
        self.closed && !self.receiving && !self.outgoing.is_sending() && idle
    }
}
