//! Why a connection ended otherwise than by the client's wish.

use std::io;

use super::handshake::Violation;
use super::tls::TlsFault;
use super::transmission::BadMagic;

/// Why a connection was cut. Written to the log; clients see only the end of the connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the handshake was not over within its time")]
    HandshakeTime,
    #[error("the client broke the handshake: {0}")]
    Handshake(#[from] Violation),
    #[error("TLS failed: {0}")]
    Tls(#[from] TlsFault),
    #[error("the client broke the protocol: {0}")]
    Transmission(#[from] BadMagic),
    #[error("a request did not arrive within its time")]
    Stalled,
    #[error("the export was taken away while the client asked for it")]
    Removed,
    #[error("the connection ended in the middle of a request")]
    CutOff,
    #[error("a part of a read failed after others of its one reply were sent")]
    ReadFailed,
    #[error("the connection failed: {0}")]
    Socket(#[from] io::Error),
}
