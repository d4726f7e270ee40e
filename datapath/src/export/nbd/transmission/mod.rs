//! The transmission phase (NBD protocol, "Transmission"), as a state machine without I/O: bytes in, events out.
//!
//! Replies are built by [`Replies`], in whatever order the disk completes.

mod check;
mod refusal;
mod reply;
#[cfg(test)]
mod tests;

use std::mem;

pub use refusal::{Errno, Refusal};
pub use reply::Replies;

use super::wire::{self, REQUEST_LEN, RequestHeader};
use crate::buf::Buf;
use crate::disk::{Command, Geometry};

/// The id of `base:allocation` in this server's replies.
pub(crate) const ALLOCATION_CONTEXT: u32 = 1;

/// What the handshake settled for the transmission phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// The disk, as it was advertised.
    pub geometry: Geometry,
    /// Unaligned requests are refused.
    pub strict_alignment: bool,
    /// Structured replies were negotiated.
    pub structured: bool,
    /// `base:allocation` was selected for this export.
    pub block_status: bool,
}

/// A request that may be run: known, permitted, inside the disk and of at least one byte (a flush: of none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The client's name for this request, given back in its reply.
    pub cookie: u64,
    /// What to do.
    pub action: Action,
    /// First byte.
    pub offset: u64,
    /// Bytes; 0 for a flush.
    pub len: u32,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An operation of the disk.
    Disk(Command),
    /// `NBD_CMD_BLOCK_STATUS`. `REQ_ONE` makes no difference: the answer is always one extent.
    BlockStatus,
}

impl Request {
    /// How many bytes of payload it carries, in either direction.
    #[must_use]
    pub fn payload_len(&self) -> u32 {
        match self.action {
            Action::Disk(Command::Read | Command::Write { .. }) => self.len,
            _ => 0,
        }
    }
}

/// What arrived.
pub enum Event {
    /// Nothing whole yet: read on.
    Continue,
    /// A request to run.
    Request(Request),
    /// A write whose payload comes next: call [`Transmission::supply`] with a buffer of [`Request::payload_len`] bytes.
    WantsBuffer(Request),
    /// A write, and its payload.
    Write(Request, Buf),
    /// A request that is answered without the disk.
    Answer {
        /// The client's name for the request.
        cookie: u64,
        /// Success, or why not.
        result: Result<(), Refusal>,
    },
    /// The client says goodbye; it sends nothing more.
    Disconnect,
}

/// The client does not speak the protocol (any more), and where the next request begins is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a request begins with {0:#010x}, not with the request magic")]
pub struct BadMagic(pub u32);

/// ```text
///            ┌────────────────────────── request, answer ◀──┐
///            ▼                                              │
///          Header ──▶ Waiting ──supply──▶ Payload ── write ─┤
///            ├──────▶ Skip (payload of a refused write) ────┘
///            └──────▶ Over (disconnect, bad magic)
/// ```
enum State {
    Header,
    Waiting(Request),
    Payload(Request, Buf),
    Skip { cookie: u64, refusal: Refusal, left: u64 },
    Over,
}

/// The receiving side of one connection's transmission phase.
pub struct Transmission {
    session: Session,
    state: State,
    /// A header being received; also where a refused payload is dropped.
    scratch: [u8; SCRATCH],
    filled: usize,
}

/// A refused payload is read and dropped in pieces of this many bytes.
const SCRATCH: usize = 4096;

impl Transmission {
    /// A transmission phase at its beginning.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self { session, state: State::Header, scratch: [0; SCRATCH], filled: 0 }
    }

    /// Whether the next byte begins a new request.
    #[must_use]
    pub fn is_between_requests(&self) -> bool {
        matches!(self.state, State::Header) && self.filled == 0
    }

    /// Where the client's next bytes go. Empty while a buffer is awaited, and when the phase is over.
    pub fn space(&mut self) -> &mut [u8] {
        match &mut self.state {
            State::Header => &mut self.scratch[self.filled..REQUEST_LEN],
            State::Payload(_, buf) => &mut buf.as_mut_slice()[self.filled..],
            State::Skip { left, .. } => {
                let len = usize::try_from(*left).unwrap_or(SCRATCH).min(SCRATCH);
                &mut self.scratch[..len]
            }
            State::Waiting(_) | State::Over => &mut [],
        }
    }

    /// Takes the first `received` bytes of [`Transmission::space`].
    ///
    /// # Errors
    /// When the client sends something that is not a request; the caller closes the connection.
    pub fn advance(&mut self, received: usize) -> Result<Event, BadMagic> {
        let received = received.min(self.space().len());
        if let State::Skip { left, .. } = &mut self.state {
            *left -= received as u64;
        } else {
            self.filled += received;
        }
        let whole = match &self.state {
            State::Header => self.filled == REQUEST_LEN,
            State::Payload(_, buf) => self.filled == buf.len(),
            State::Skip { left, .. } => *left == 0,
            State::Waiting(_) | State::Over => false,
        };
        if whole { self.step() } else { Ok(Event::Continue) }
    }

    /// Gives the buffer that [`Event::WantsBuffer`] asked for. One of another length is refused by giving it back.
    pub fn supply(&mut self, buf: Buf) -> Option<Buf> {
        match self.state {
            State::Waiting(request) if buf.len() == request.len as usize => {
                self.state = State::Payload(request, buf);
                None
            }
            _ => Some(buf),
        }
    }

    /// Handles one whole header or payload.
    fn step(&mut self) -> Result<Event, BadMagic> {
        self.filled = 0;
        match mem::replace(&mut self.state, State::Header) {
            State::Header => self.header(),
            State::Payload(request, buf) => Ok(Event::Write(request, buf)),
            State::Skip { cookie, refusal, .. } => Ok(Event::Answer { cookie, result: Err(refusal) }),
            over @ (State::Waiting(_) | State::Over) => {
                self.state = over;
                Ok(Event::Continue)
            }
        }
    }

    fn header(&mut self) -> Result<Event, BadMagic> {
        let header = RequestHeader::decode(&self.scratch);
        if header.magic != wire::REQUEST_MAGIC {
            self.state = State::Over;
            return Err(BadMagic(header.magic));
        }
        if header.command == wire::cmd::DISC {
            self.state = State::Over;
            return Ok(Event::Disconnect);
        }
        let has_payload = header.command == wire::cmd::WRITE && header.len > 0;
        Ok(match check::check(&header, &self.session) {
            Ok(Some(request)) if has_payload => {
                self.state = State::Waiting(request);
                Event::WantsBuffer(request)
            }
            Ok(Some(request)) => Event::Request(request),
            Ok(None) => Event::Answer { cookie: header.cookie, result: Ok(()) },
            Err(refusal) if has_payload => {
                self.state = State::Skip { cookie: header.cookie, refusal, left: u64::from(header.len) };
                Event::Continue
            }
            Err(refusal) => Event::Answer { cookie: header.cookie, result: Err(refusal) },
        })
    }
}
