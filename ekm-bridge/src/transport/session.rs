//! One TLS connection: a request, its answer, the next request.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};
use rustls_pki_types::ServerName;
use zeroize::Zeroizing;

use super::timed::Timed;
use super::{Endpoint, TlsIdentity};
use crate::kmip::ttlv::{HEADER, Limits, TtlvError, message_length};

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_millis(100);

/// How long the first attempt to connect may take, and each after it.
const FIRST_ATTEMPT: Duration = Duration::from_secs(3);
const NEXT_ATTEMPT: Duration = Duration::from_secs(1);

/// A connection whose handshake is done. After an error it must not be used again.
pub(super) struct Session {
    stream: StreamOwned<ClientConnection, Timed>,
    last_used: Instant,
}

/// Says goodbye, as TLS asks for; a server that is gone does not need it.
impl Drop for Session {
    fn drop(&mut self) {
        let StreamOwned { conn, sock } = &mut self.stream;
        conn.send_close_notify();
        sock.set_deadline(Instant::now() + GOODBYE);
        let _ = conn.write_tls(sock);
    }
}

/// Why a request got no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// The socket or TLS failed.
    Io(io::Error),
    /// What came is no message, or too long a one.
    NoMessage(TtlvError),
}

/// Connects before `deadline`. When packets are lost, kernels before Linux 6.5 ask again after 1, 3 and 7 seconds; a
/// server that comes back is to be found sooner, and one that is far away is to have its time.
fn connect(address: &SocketAddr, deadline: Instant) -> io::Result<TcpStream> {
    let mut attempt = FIRST_ATTEMPT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match TcpStream::connect_timeout(address, attempt.min(left)) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut && left > attempt => attempt = NEXT_ATTEMPT,
            outcome => return outcome,
        }
    }
}

impl Session {
    /// Connects and shakes hands, all within `timeout`.
    pub(super) fn open(
        endpoint: &Endpoint,
        address: &SocketAddr,
        identity: &TlsIdentity,
        timeout: Duration,
    ) -> io::Result<Self> {
        let deadline = Instant::now() + timeout;
        let name = ServerName::try_from(endpoint.host.clone()).map_err(io::Error::other)?;
        let mut tls = ClientConnection::new(Arc::clone(&identity.config), name).map_err(io::Error::other)?;
        let socket = connect(address, deadline)?;
        // A request is one write, and its answer is waited for: there is nothing to gather.
        socket.set_nodelay(true)?;
        let mut socket = Timed::new(socket, deadline);
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        Ok(Self { stream: StreamOwned::new(tls, socket), last_used: Instant::now() })
    }

    /// For how long nothing was asked.
    pub(super) fn idle(&self) -> Duration {
        self.last_used.elapsed()
    }

    /// Sends one message and reads one, all within `timeout`.
    pub(super) fn exchange(
        &mut self,
        request: &[u8],
        timeout: Duration,
        limits: &Limits,
    ) -> Result<Zeroizing<Vec<u8>>, Fault> {
        self.stream.sock.set_deadline(Instant::now() + timeout);
        self.write(request)?;
        let answer = self.read(limits)?;
        self.last_used = Instant::now();
        Ok(answer)
    }

    /// A write may fail because the server has already said why it hangs up: its alert is then waiting to be read.
    fn write(&mut self, request: &[u8]) -> Result<(), Fault> {
        let outcome = self.stream.write_all(request).and_then(|()| self.stream.flush());
        outcome.map_err(|error| Fault::Io(self.alert().unwrap_or(error)))
    }

    /// The alert among what the server sent last, if there is one.
    fn alert(&mut self) -> Option<io::Error> {
        loop {
            let StreamOwned { conn, sock } = &mut self.stream;
            let count = conn.read_tls(sock).ok()?;
            if let Err(error) = conn.process_new_packets() {
                return Some(io::Error::new(io::ErrorKind::InvalidData, error));
            }
            if count == 0 {
                return None;
            }
        }
    }

    fn read(&mut self, limits: &Limits) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let mut header = [0; HEADER];
        self.stream.read_exact(&mut header).map_err(Fault::Io)?;
        let length = message_length(header, limits).map_err(Fault::NoMessage)?;
        let mut message = Zeroizing::new(vec![0; length]);
        let (start, rest) = message.split_at_mut(HEADER);
        start.copy_from_slice(&header);
        self.stream.read_exact(rest).map_err(Fault::Io)?;
        Ok(message)
    }
}
