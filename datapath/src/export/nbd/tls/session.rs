//! A TLS session without I/O: rustls does the handshake, one record at a time; from then on the records are our own
//! ([`Open`]), since rustls would copy all data twice.

use std::ops::Range;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, InsufficientSizeError, UnbufferedStatus};

use super::TlsFault;
use super::open::Open;
use super::record::{self, RecordError};
use crate::ring::Message;

/// What a handshake may leave unread: its longest message, in records.
const MAX_HANDSHAKE: usize = 128 << 10;

/// See the module.
pub(in crate::export::nbd) struct Session {
    state: State,
    /// What the session has to send of its own accord.
    out: Vec<u8>,
    /// The beginning of a record whose rest was not received yet; or the data of one that was not taken yet.
    stash: Vec<u8>,
    /// Where in the stash that data is.
    data: Range<usize>,
}

enum State {
    /// With the records that are no whole message yet.
    Handshake(Box<UnbufferedServerConnection>, Vec<u8>),
    Open(Box<Open>),
    /// It has failed: nothing more is read or written.
    Over,
}

impl Session {
    /// A session at its beginning.
    ///
    /// # Errors
    /// When the configuration is of no use.
    pub(super) fn new(config: Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        let session = Box::new(UnbufferedServerConnection::new(config)?);
        Ok(Self { state: State::Handshake(session, Vec::new()), out: Vec::new(), stash: Vec::new(), data: 0..0 })
    }

    /// Whether data can be sent.
    pub(in crate::export::nbd) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Whether it has something to send of its own accord: its handshake, an alert, an answer to a key update.
    pub(in crate::export::nbd) fn wants_to_send(&self) -> bool {
        !self.out.is_empty()
    }

    /// Says goodbye.
    pub(in crate::export::nbd) fn close(&mut self) {
        if let State::Open(open) = &mut self.state {
            open.close(&mut self.out);
        }
    }

    /// Gives the data that arrived in `input` to `take`, which uses up what it can off the front of what it is offered.
    /// Records are opened where they are. Whether all was used; else the rest is to be offered again.
    ///
    /// # Errors
    /// Those of `take`, and [`TlsFault`]; then the session is over, and what is to be sent tells the peer.
    pub(in crate::export::nbd) fn receive<E: From<TlsFault>>(
        &mut self,
        input: &mut &mut [u8],
        mut take: impl FnMut(&mut &[u8]) -> Result<(), E>,
    ) -> Result<bool, E> {
        loop {
            if !self.data.is_empty() {
                let mut data = &self.stash[self.data.clone()];
                take(&mut data)?;
                self.data.start = self.data.end - data.len();
                if !self.data.is_empty() {
                    return Ok(false);
                }
                self.stash.clear();
            }
            if self.is_deaf() {
                *input = &mut [];
                return Ok(true);
            }
            if !self.stash.is_empty() {
                if !self.complete_stash(input)? {
                    return Ok(true);
                }
                continue;
            }
            let len = record::length(input).map_err(|error| self.fail(error.into()))?;
            let Some(len) = len.filter(|len| *len <= input.len()) else {
                self.stash.extend_from_slice(input);
                *input = &mut [];
                return Ok(true);
            };
            let (record, rest) = std::mem::take(input).split_at_mut(len);
            *input = rest;
            let range = self.process(record)?;
            let mut data = &record[range];
            if data.is_empty() {
                continue;
            }
            take(&mut data)?;
            if !data.is_empty() {
                self.stash.extend_from_slice(data);
                self.data = 0..data.len();
                return Ok(false);
            }
        }
    }

    /// Turns `message` into what travels, after what the session has to send of its own accord.
    ///
    /// # Errors
    /// [`TlsFault`] when the session cannot protect any more.
    pub(in crate::export::nbd) fn wrap(&mut self, message: &mut Message) -> Result<(), TlsFault> {
        if let State::Open(open) = &mut self.state {
            self.out.reserve(message.left() + message.left() / 64 + 64);
            open.send(message, &mut self.out)?;
        }
        message.replace(&mut self.out);
        Ok(())
    }

    /// Whether nothing more that comes means anything.
    fn is_deaf(&self) -> bool {
        match &self.state {
            State::Handshake(..) => false,
            State::Open(open) => open.has_ended(),
            State::Over => true,
        }
    }

    /// Adds to the stash what its record lacks, and processes the record. Whether there was enough for that.
    fn complete_stash(&mut self, input: &mut &mut [u8]) -> Result<bool, TlsFault> {
        loop {
            let len = record::length(&self.stash).map_err(|error| self.fail(error.into()))?;
            let lacking = len.unwrap_or(record::HEADER) - self.stash.len();
            if lacking == 0 {
                break;
            }
            if input.is_empty() {
                return Ok(false);
            }
            let len = lacking.min(input.len());
            let (now, rest) = std::mem::take(input).split_at_mut(len);
            self.stash.extend_from_slice(now);
            *input = rest;
        }
        let mut stash = std::mem::take(&mut self.stash);
        self.data = self.process(&mut stash)?;
        self.stash = stash;
        if self.data.is_empty() {
            self.stash.clear();
        }
        Ok(true)
    }

    /// Does what a whole record wants. Where in it data for the connection is, opened.
    fn process(&mut self, record: &mut [u8]) -> Result<Range<usize>, TlsFault> {
        let result = match &mut self.state {
            State::Handshake(session, unread) => {
                unread.extend_from_slice(record);
                match shake_hands(session, unread, &mut self.out) {
                    Ok(true) => self.open().map(|()| 0..0),
                    Ok(false) => Ok(0..0),
                    Err(fault) => Err(fault),
                }
            }
            State::Open(open) => open.receive(record, &mut self.out),
            State::Over => Ok(0..0),
        };
        result.map_err(|fault| self.fail(fault))
    }

    fn open(&mut self) -> Result<(), TlsFault> {
        if let State::Handshake(session, _) = std::mem::replace(&mut self.state, State::Over) {
            self.state = State::Open(Box::new(Open::new(*session)?));
        }
        Ok(())
    }

    /// The session is over; the peer is told why.
    fn fail(&mut self, fault: TlsFault) -> TlsFault {
        match (&mut self.state, &fault) {
            (State::Open(open), TlsFault::Record(error)) => open.complain(error.alert(), &mut self.out),
            (State::Handshake(..), TlsFault::Record(error)) => record::complain(error.alert(), &mut self.out),
            // rustls has told it, or it has told us.
            _ => (),
        }
        self.state = State::Over;
        fault
    }
}

/// Lets rustls read what there is, and collects what it answers. Whether the handshake is complete.
fn shake_hands(
    session: &mut UnbufferedServerConnection,
    unread: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<bool, TlsFault> {
    loop {
        let UnbufferedStatus { discard, state } = session.process_tls_records(unread);
        let waits = match state {
            Ok(ConnectionState::EncodeTlsData(mut data)) => {
                encode(&mut data, out)?;
                false
            }
            Ok(ConnectionState::TransmitTlsData(data)) => {
                data.done();
                false
            }
            // A server could speak in TLS 1.3 before it has heard the client's last word.
            Ok(ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_)) => true,
            Ok(_) => return Err(RecordError::Unexpected.into()),
            Err(error) => {
                unread.drain(..discard);
                // It has an alert for the peer.
                if session.wants_write()
                    && let Ok(ConnectionState::EncodeTlsData(mut data)) = session.process_tls_records(unread).state
                {
                    encode(&mut data, out)?;
                }
                return Err(error.into());
            }
        };
        unread.drain(..discard);
        if waits {
            let done = !session.is_handshaking();
            let allowed = if done { 0 } else { MAX_HANDSHAKE };
            return if unread.len() > allowed { Err(RecordError::Unexpected.into()) } else { Ok(done) };
        }
    }
}

fn encode(data: &mut EncodeTlsData<'_, ServerConnectionData>, out: &mut Vec<u8>) -> Result<(), TlsFault> {
    let start = out.len();
    let mut result = data.encode(&mut []);
    if let Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) = result {
        out.resize(start + required_size, 0);
        result = data.encode(&mut out[start..]);
    }
    result.map(drop).map_err(|error| rustls::Error::General(error.to_string()).into())
}
