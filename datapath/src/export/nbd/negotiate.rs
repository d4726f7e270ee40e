//! Drives the handshake of one connection, TLS included, within its time.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::exports::{Export, Exports};
use super::fault::Fault;
use super::handshake::{Handshake, Next};
use super::socket::{Socket, SocketStream};
use super::tls::Tls;
use super::transmission::Session;

/// Both directions of a connection, through TLS or not.
pub(super) struct Transport {
    pub(super) reader: Box<dyn Read + Send>,
    pub(super) writer: Box<dyn Write + Send>,
}

impl Transport {
    fn plain(socket: &Arc<Socket>) -> Self {
        let stream = SocketStream(Arc::clone(socket));
        Self { reader: Box::new(stream.clone()), writer: Box::new(stream) }
    }
}

/// A negotiation that ended with an export.
pub(super) struct Agreed {
    pub(super) transport: Transport,
    pub(super) export: Export,
    pub(super) session: Session,
}

/// Negotiates until an export is chosen; `None` when the client left politely.
pub(super) fn negotiate(
    socket: &Arc<Socket>,
    exports: Exports,
    tls: &Tls,
    limit: Duration,
) -> Result<Option<Agreed>, Fault> {
    let clock = Clock { socket, end: Instant::now() + limit };
    let mut transport = Transport::plain(socket);
    let mut machine = Handshake::new(exports, tls.mode());
    let mut out = Handshake::greeting().to_vec();
    loop {
        clock.check()?;
        transport.writer.write_all(&out).map_err(Fault::handshake)?;
        out.clear();
        let received = match transport.reader.read(machine.space()) {
            Ok(0) => return Ok(None),
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Fault::handshake(error)),
        };
        let next = machine.advance(received, &mut out)?;
        if let Next::Continue = next {
            continue;
        }
        clock.check()?;
        transport.writer.write_all(&out).map_err(Fault::handshake)?;
        out.clear();
        match next {
            Next::Continue => (),
            Next::Close => return Ok(None),
            Next::Transmit(export, session) => return Ok(Some(Agreed { transport, export, session })),
            Next::StartTls => {
                transport = tls.accept(socket, || clock.check())?;
                machine.secured();
            }
        }
    }
}

/// The time a handshake has.
struct Clock<'a> {
    socket: &'a Socket,
    end: Instant,
}

impl Clock<'_> {
    /// Bounds the next read and write by what is left.
    fn check(&self) -> Result<(), Fault> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Fault::HandshakeTime);
        }
        self.socket.set_read_timeout(left)?;
        self.socket.set_write_timeout(left)?;
        Ok(())
    }
}
