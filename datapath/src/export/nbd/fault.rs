//! Why a connection ended otherwise than by the client's wish.

use std::io;

use super::handshake::Violation;
use super::socket::is_timeout;
use super::transmission::BadMagic;

/// Why a connection was cut. Written to the log; clients see only the end of the connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the handshake was not over within its time")]
    HandshakeTime,
    #[error("the client broke the handshake: {0}")]
    Handshake(#[from] Violation),
    #[error("TLS failed: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the client broke the protocol: {0}")]
    Transmission(#[from] BadMagic),
    #[error("a request did not arrive within its time")]
    Stalled,
    #[error("the connection ended in the middle of a request")]
    CutOff,
    #[error("the connection failed: {0}")]
    Socket(#[from] io::Error),
}

impl Fault {
    /// An I/O error during the handshake, where a timeout is the whole handshake's.
    pub(super) fn handshake(error: io::Error) -> Self {
        if is_timeout(&error) { Self::HandshakeTime } else { Self::Socket(error) }
    }
}
