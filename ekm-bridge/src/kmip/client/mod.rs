//! A client of one server: asks, and remembers the version that was agreed on. Bytes go through an [`Exchange`], so
//! that everything here runs without a socket.

mod negotiate;
mod reply;
#[cfg(test)]
mod tests;

use zeroize::Zeroizing;

pub use reply::Reply;

use super::enums::QueryFunction;
use super::error::{ErrorKind, ExchangeError, KmipError};
use super::message::{Credential, RequestHeader, RequestItem, Response, request};
use super::ops::{DiscoverVersions, Query, Repeat, Request};
use super::ttlv::Limits;
use super::version::ProtocolVersion;
use negotiate::{Answer, Negotiation, Probe};

/// Takes one message to a server and brings one back.
pub trait Exchange: Send {
    /// The server's name for errors and logs.
    fn server(&self) -> &str;

    /// Sends `request` and returns the answer, a whole message.
    ///
    /// # Errors
    /// When no answer came. A request that is [`Repeat::Harmless`] may have been sent more than once; one that
    /// [`Repeat::MakesAnother`] never is, and fails with [`ErrorKind::ReplyLost`] once any of it was sent.
    fn exchange(&mut self, request: &[u8], repeat: Repeat) -> Result<Zeroizing<Vec<u8>>, ExchangeError>;
}

/// One server, and what is known of it.
pub struct Client<E> {
    exchange: E,
    credential: Option<Credential>,
    limits: Limits,
    /// What somebody decided to speak.
    fixed: Option<ProtocolVersion>,
    /// What was agreed on.
    agreed: Option<ProtocolVersion>,
}

impl<E: Exchange> Client<E> {
    /// A client that has not asked anything yet.
    pub fn new(exchange: E) -> Self {
        Self { exchange, credential: None, limits: Limits::STANDARD, fixed: None, agreed: None }
    }

    /// The same client with a user name and a password in every request.
    #[must_use]
    pub fn with_credential(self, credential: Option<Credential>) -> Self {
        Self { credential, ..self }
    }

    /// The same client, which speaks `version`, if there is one, without asking for the server's.
    #[must_use]
    pub fn with_version(self, version: Option<ProtocolVersion>) -> Self {
        Self { fixed: version, ..self }
    }

    /// The server's name for errors and logs.
    pub fn server(&self) -> &str {
        self.exchange.server()
    }

    /// What carries the messages.
    pub fn exchange_mut(&mut self) -> &mut E {
        &mut self.exchange
    }

    /// The version both sides speak; the first call finds it out.
    ///
    /// # Errors
    /// When there is none, or the server cannot be asked.
    pub fn version(&mut self) -> Result<ProtocolVersion, KmipError> {
        if let Some(version) = self.fixed.or(self.agreed) {
            return Ok(version);
        }
        let version = self.negotiate()?;
        self.agreed = Some(version);
        Ok(version)
    }

    /// Asks for one operation.
    ///
    /// # Errors
    /// Any kind but `Ambiguous`; `Absent` only for an operation that names an object.
    pub fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, KmipError> {
        let version = self.version()?;
        if version < R::SINCE {
            return Err(self.too_old::<R>(version));
        }
        let reply = self.send(vec![request.to_item(version)], R::REPEAT)?;
        reply.read::<R>(0).inspect_err(|error| self.forget_wrong_version(error))
    }

    /// Asks for several operations in one message; the server stops at the first that fails. Read each answer with
    /// [`Reply::read`] by its place. The items are made with [`Request::to_item`] for [`Client::version`].
    ///
    /// # Errors
    /// When the message as a whole got no answer.
    pub fn batch(&mut self, items: Vec<RequestItem>, repeat: Repeat) -> Result<Reply, KmipError> {
        self.version()?;
        self.send(items, repeat)
    }

    fn send(&mut self, items: Vec<RequestItem>, repeat: Repeat) -> Result<Reply, KmipError> {
        let version = self.version()?;
        self.send_as(version, items, repeat).map_err(|(error, _)| error)
    }

    /// Sends in a given version. The flag of the error is [`ExchangeError::was_cut`].
    fn send_as(
        &mut self,
        version: ProtocolVersion,
        items: Vec<RequestItem>,
        repeat: Repeat,
    ) -> Result<Reply, (KmipError, bool)> {
        let Some(operation) = items.first().map(|item| item.operation) else { return Ok(Reply::empty(self.server())) };
        let max_response = self.limits.bytes;
        let header = RequestHeader { version, max_response, credential: self.credential.as_ref() };
        let bytes = request(&header, items);
        let answer = self.exchange.exchange(&bytes, repeat).map_err(|error| {
            let was_cut = error.was_cut;
            (KmipError::exchange(error, self.exchange.server(), operation), was_cut)
        })?;
        let response = Response::parse(&answer, &self.limits)
            .map_err(|error| (KmipError::malformed(self.exchange.server(), operation, error), false))?;
        Ok(Reply::new(self.exchange.server(), response))
    }

    fn negotiate(&mut self) -> Result<ProtocolVersion, KmipError> {
        let mut negotiation = Negotiation::new();
        let mut last = None;
        while let Some((probe, version)) = negotiation.next_probe() {
            let answer = match self.probe(probe, version) {
                Ok(answer) => answer,
                Err((error, may_go_on)) if may_go_on => {
                    last = Some(error);
                    Answer::Nothing
                }
                Err((error, _)) => return Err(error),
            };
            if let Some(version) = negotiation.hear(version, answer) {
                return Ok(version);
            }
        }
        Err(self.no_version(&negotiation, last))
    }

    /// One question of a negotiation. The flag of the error tells whether another version may fare better.
    fn probe(&mut self, probe: Probe, version: ProtocolVersion) -> Result<Answer, (KmipError, bool)> {
        let item = match probe {
            Probe::Discover => DiscoverVersions { offered: ProtocolVersion::KNOWN.into() }.to_item(version),
            Probe::Query => Query { functions: vec![QueryFunction::QUERY_OPERATIONS] }.to_item(version),
        };
        let reply = match self.send_as(version, vec![item], Repeat::Harmless) {
            Ok(reply) => reply,
            Err((error, was_cut)) => {
                let may_go_on = was_cut || error.kind == ErrorKind::Malformed;
                return Err((error, may_go_on));
            }
        };
        let outcome = match probe {
            Probe::Discover => reply.read::<DiscoverVersions>(0).map(Answer::Versions),
            Probe::Query => reply.read::<Query>(0).map(|_| Answer::Accepted),
        };
        outcome.or_else(|error| match error.failure() {
            Some(failure) if error.kind == ErrorKind::Refused => {
                Ok(Answer::Refused { speaks: reply.version(), failure: failure.clone() })
            }
            _ => {
                let may_go_on = error.kind == ErrorKind::Malformed;
                Err((error, may_go_on))
            }
        })
    }

    /// A server that was exchanged for an older one is asked for its versions again.
    fn forget_wrong_version(&mut self, error: &KmipError) {
        if error.failure().is_some_and(super::message::Failure::says_wrong_version) {
            self.agreed = None;
        }
    }

    fn too_old<R: Request>(&self, version: ProtocolVersion) -> KmipError {
        let message = format!("needs KMIP {}, and the server speaks {version}", R::SINCE);
        KmipError::ours(ErrorKind::Refused, self.server(), R::OPERATION, message)
    }

    fn no_version(&self, negotiation: &Negotiation, last: Option<KmipError>) -> KmipError {
        let operation = DiscoverVersions::OPERATION;
        match (negotiation.said(), last) {
            (None, Some(error)) => error,
            (said, _) => {
                let said = said.unwrap_or_else(|| "nothing".into());
                let message = format!("no common version: this client speaks KMIP 1.0 to 2.1; the server said: {said}");
                KmipError::ours(ErrorKind::Refused, self.server(), operation, message)
            }
        }
    }
}
