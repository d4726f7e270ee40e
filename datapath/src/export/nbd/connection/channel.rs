//! The bytes of a connection, through TLS or not.

use std::io::{self, BufRead, Write};

use rustls::ServerConnection;

use crate::export::nbd::fault::Fault;
use crate::ring::Message;

/// How bytes travel.
pub(super) enum Channel {
    /// As they are.
    Plain,
    /// In TLS records.
    Tls(Box<ServerConnection>),
}

/// What became of received bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// All were used: more can come.
    All,
    /// The taker has no room; the rest must be offered again.
    Stopped,
}

impl Channel {
    /// Gives what arrived in `input` to `take`, which uses up what it can off the front of what it is offered.
    pub(super) fn receive(
        &mut self,
        input: &mut &[u8],
        mut take: impl FnMut(&mut &[u8]) -> Result<(), Fault>,
    ) -> Result<Taken, Fault> {
        let Self::Tls(session) = self else {
            take(input)?;
            return Ok(if input.is_empty() { Taken::All } else { Taken::Stopped });
        };
        loop {
            // First what is decrypted already: the session holds only so much of it.
            loop {
                let mut reader = session.reader();
                let mut plain = match reader.fill_buf() {
                    Ok([]) => break,
                    Ok(plain) => plain,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error.into()),
                };
                let offered = plain.len();
                take(&mut plain)?;
                let used = offered - plain.len();
                reader.consume(used);
                if used < offered {
                    return Ok(Taken::Stopped);
                }
            }
            if input.is_empty() {
                return Ok(Taken::All);
            }
            session.read_tls(input)?;
            session.process_new_packets()?;
        }
    }

    /// Whether the session has something to send of its own accord: its handshake, an answer to a key update.
    pub(super) fn wants_to_send(&self) -> bool {
        matches!(self, Self::Tls(session) if session.wants_write())
    }

    /// Whether the client can be spoken to yet.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::Tls(session) => !session.is_handshaking(),
        }
    }

    /// Says goodbye, where that is a message of its own.
    pub(super) fn close(&mut self) {
        if let Self::Tls(session) = self {
            session.send_close_notify();
        }
    }

    /// Turns the message into what travels.
    pub(super) fn wrap(&mut self, message: &mut Message) -> Result<(), Fault> {
        let Self::Tls(session) = self else { return Ok(()) };
        let mut result = Ok(());
        message.for_each_left(|bytes| {
            if result.is_ok() {
                result = session.writer().write_all(bytes);
            }
        });
        result?;
        message.clear();
        message.fill(|out| {
            while session.wants_write() {
                session.write_tls(out)?;
            }
            Ok(())
        })?;
        Ok(())
    }
}
