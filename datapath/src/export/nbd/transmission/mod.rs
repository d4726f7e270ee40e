//! The transmission phase (NBD protocol, "Transmission"), as a state machine without I/O: bytes in, events out.
//!
//! Payloads are never kept here: the caller takes them from the bytes it received ([`Transmission::payload`]), straight
//! to where they belong. Replies are built by [`Replies`], in whatever order the disk completes.

mod check;
mod refusal;
mod reply;
#[cfg(test)]
mod tests;

pub use refusal::{Errno, Refusal};
pub use reply::{Head, Replies};

use super::wire::{self, REQUEST_LEN, RequestHeader};
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
    /// The data of a read is to be sent in one chunk (`NBD_CMD_FLAG_DF`).
    pub in_one_chunk: bool,
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
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Nothing whole yet: all input is used up.
    Continue,
    /// A request to run. If it is a write, its payload comes next: [`Transmission::payload`] hands it out.
    Request(Request),
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
///          Header ──▶ Payload (of a write) ── all taken ────┤
///            ├──────▶ Skip (payload of a refused write) ────┘
///            └──────▶ Over (disconnect, bad magic)
/// ```
enum State {
    Header,
    Payload { left: u32 },
    Skip { cookie: u64, refusal: Refusal, left: u32 },
    Over,
}

/// The receiving side of one connection's transmission phase.
pub struct Transmission {
    session: Session,
    state: State,
    /// A header of which only a part has arrived.
    header: [u8; REQUEST_LEN],
    filled: usize,
}

impl Transmission {
    /// A transmission phase at its beginning.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self { session, state: State::Header, header: [0; REQUEST_LEN], filled: 0 }
    }

    /// Whether the next byte begins a new request.
    #[must_use]
    pub fn is_between_requests(&self) -> bool {
        matches!(self.state, State::Header) && self.filled == 0
    }

    /// The disk is now what `geometry` says: it has grown.
    pub fn set_geometry(&mut self, geometry: Geometry) {
        self.session.geometry = geometry;
    }

    /// How many bytes of a write's payload are still to be taken; while there are any, nothing else comes.
    #[must_use]
    pub fn payload_left(&self) -> u32 {
        if let State::Payload { left } = self.state { left } else { 0 }
    }

    /// Takes at most `room` bytes of a write's payload off the front of `input`.
    pub fn payload<'a>(&mut self, input: &mut &'a [u8], room: usize) -> &'a [u8] {
        let State::Payload { left } = &mut self.state else { return &[] };
        let taken = take(input, (*left as usize).min(room));
        *left -= length(taken);
        if *left == 0 {
            self.state = State::Header;
        }
        taken
    }

    /// Takes the next request off the front of `input`. While a payload is to be taken, takes nothing.
    ///
    /// # Errors
    /// When the client sends something that is not a request; the caller closes the connection.
    pub fn advance(&mut self, input: &mut &[u8]) -> Result<Event, BadMagic> {
        match &mut self.state {
            State::Header => self.header(input),
            State::Skip { left, .. } => {
                *left -= length(take(input, *left as usize));
                if *left > 0 {
                    return Ok(Event::Continue);
                }
                match std::mem::replace(&mut self.state, State::Header) {
                    State::Skip { cookie, refusal, .. } => Ok(Event::Answer { cookie, result: Err(refusal) }),
                    _ => Ok(Event::Continue),
                }
            }
            State::Payload { .. } | State::Over => Ok(Event::Continue),
        }
    }

    fn header(&mut self, input: &mut &[u8]) -> Result<Event, BadMagic> {
        let part = take(input, REQUEST_LEN - self.filled);
        self.header[self.filled..self.filled + part.len()].copy_from_slice(part);
        self.filled += part.len();
        if self.filled < REQUEST_LEN {
            return Ok(Event::Continue);
        }
        self.filled = 0;
        let header = RequestHeader::decode(&self.header);
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
            Ok(Some(request)) => {
                if has_payload {
                    self.state = State::Payload { left: header.len };
                }
                Event::Request(request)
            }
            Ok(None) => Event::Answer { cookie: header.cookie, result: Ok(()) },
            Err(refusal) if has_payload => {
                self.state = State::Skip { cookie: header.cookie, refusal, left: header.len };
                Event::Continue
            }
            Err(refusal) => Event::Answer { cookie: header.cookie, result: Err(refusal) },
        })
    }
}

/// Takes at most `len` bytes off the front.
fn take<'a>(input: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (taken, rest) = input.split_at(len.min(input.len()));
    *input = rest;
    taken
}

/// The length of something that was taken: never more than a payload's.
fn length(taken: &[u8]) -> u32 {
    u32::try_from(taken.len()).unwrap_or(u32::MAX)
}
