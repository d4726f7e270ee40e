//! The bytes of a connection, through TLS or not.

use crate::export::nbd::fault::Fault;
use crate::export::nbd::tls::Session;
use crate::ring::Message;

/// How bytes travel.
pub(super) enum Channel {
    /// As they are.
    Plain,
    /// In TLS records.
    Tls(Box<Session>),
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
        input: &mut &mut [u8],
        mut take: impl FnMut(&mut &[u8]) -> Result<(), Fault>,
    ) -> Result<Taken, Fault> {
        let all = match self {
            Self::Tls(session) => session.receive(input, take)?,
            Self::Plain => {
                let mut plain = &**input;
                take(&mut plain)?;
                let used = input.len() - plain.len();
                *input = &mut std::mem::take(input)[used..];
                input.is_empty()
            }
        };
        Ok(if all { Taken::All } else { Taken::Stopped })
    }

    /// Whether the session has something to send of its own accord: its handshake, an answer to a key update.
    pub(super) fn wants_to_send(&self) -> bool {
        matches!(self, Self::Tls(session) if session.wants_to_send())
    }

    /// Whether the client can be spoken to yet.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Plain => true,
            Self::Tls(session) => session.is_open(),
        }
    }

    /// Says goodbye, where that is a message of its own.
    pub(super) fn close(&mut self) {
        if let Self::Tls(session) = self {
            session.close();
        }
    }

    /// Turns the message into what travels.
    pub(super) fn wrap(&mut self, message: &mut Message) -> Result<(), Fault> {
        if let Self::Tls(session) = self {
            session.wrap(message)?;
        }
        Ok(())
    }
}
