//! The way to one server: opened when it is needed, used again while it is fresh.

use std::io;
use std::net::ToSocketAddrs;
use std::time::Duration;

use zeroize::Zeroizing;

use super::explain::{connecting, exchanging};
use super::session::{Fault, Session};
use super::{Endpoint, ServerConfig, TlsIdentity};
use crate::kmip::ops::Repeat;
use crate::kmip::ttlv::Limits;
use crate::kmip::{ErrorKind, Exchange, ExchangeError};

/// A connection that was idle for longer is not used again: key managers and the load balancers before them cut after
/// two to three minutes, and some do so without a word.
const MAX_IDLE: Duration = Duration::from_secs(90);

/// The same for a request that must not be sent twice: whether a connection was cut shows only once something was sent.
const MAX_IDLE_BEFORE_MAKING: Duration = Duration::from_secs(2);

/// A connection to one server, over whichever of its endpoints answers.
pub struct Connection {
    config: ServerConfig,
    identity: TlsIdentity,
    session: Option<Session>,
    /// The endpoint that answered last.
    preferred: usize,
}

impl Connection {
    /// A connection that is opened by the first request.
    #[must_use]
    pub fn new(config: ServerConfig, identity: TlsIdentity) -> Self {
        Self { config, identity, session: None, preferred: 0 }
    }

    /// Closes it; the next request opens it again.
    pub fn close(&mut self) {
        self.session = None;
    }

    #[cfg(test)]
    pub(super) fn config_mut(&mut self) -> &mut ServerConfig {
        &mut self.config
    }

    fn take_idle(&mut self, repeat: Repeat) -> Option<Session> {
        let limit = match repeat {
            Repeat::Harmless => MAX_IDLE,
            Repeat::MakesAnother => MAX_IDLE_BEFORE_MAKING,
        };
        self.session.take().filter(|session| session.idle() < limit)
    }

    /// Tries every endpoint, the one that answered last first.
    fn open(&mut self) -> Result<Session, ExchangeError> {
        let count = self.config.endpoints.len();
        let mut failures = Vec::new();
        for place in (0..count).map(|step| (self.preferred + step) % count) {
            match self.open_endpoint(&self.config.endpoints[place]) {
                Ok(session) => {
                    self.preferred = place;
                    return Ok(session);
                }
                Err(error) => failures.push(error),
            }
        }
        Err(combine(failures))
    }

    /// Tries every address of an endpoint.
    fn open_endpoint(&self, endpoint: &Endpoint) -> Result<Session, ExchangeError> {
        let addresses = (endpoint.host.as_str(), endpoint.port).to_socket_addrs();
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for address in addresses.map_err(|error| connecting(endpoint, &self.config, error))? {
            match Session::open(endpoint, &address, &self.identity, self.config.connect_timeout) {
                Ok(session) => return Ok(session),
                Err(error) => last = error,
            }
        }
        Err(connecting(endpoint, &self.config, last))
    }

    /// One exchange; a session that failed is dropped.
    fn converse(&mut self, mut session: Session, request: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let answer = session.exchange(request, self.config.request_timeout, &Limits::STANDARD)?;
        self.session = Some(session);
        Ok(answer)
    }
}

impl Exchange for Connection {
    fn server(&self) -> &str {
        &self.config.name
    }

    fn exchange(&mut self, request: &[u8], repeat: Repeat) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
        if let Some(session) = self.take_idle(repeat) {
            match self.converse(session, request) {
                // It was cut while it was idle: once more, on a fresh one.
                Err(Fault::Io(error)) if is_cut(&error) && repeat == Repeat::Harmless => {}
                outcome => return outcome.map_err(|fault| exchanging(&self.config, fault, repeat)),
            }
        }
        let session = self.open()?;
        self.converse(session, request).map_err(|fault| exchanging(&self.config, fault, repeat))
    }
}

/// Whether the other side, or something in between, ended the connection.
pub(super) fn is_cut(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

/// One error for all endpoints: of the kind that says most, with the words of each.
fn combine(mut failures: Vec<ExchangeError>) -> ExchangeError {
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let message = match failures.as_slice() {
        [] => "no endpoint is configured".into(),
        failures => failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    };
    let telling = failures.into_iter().find(|failure| failure.kind != ErrorKind::Unreachable);
    match telling {
        Some(failure) => ExchangeError { message, ..failure },
        None => ExchangeError { kind: ErrorKind::Unreachable, was_cut: false, message, source: None },
    }
}
