//! One request body to one reply body, without a socket.

use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Map;

use super::auth::Role;
use super::codec::{self, Malformed, Reply, Request};
use super::control::Control;
use super::error::{ApiError, ErrorName};
use super::methods::{self, Call, Caller, Method, Port};
use super::observer::{CallRecord, Observer, redact};
use super::version::Version;

/// The methods over a node.
pub struct Service {
    control: Arc<dyn Control>,
    observer: Arc<dyn Observer>,
    port: Port,
}

/// A reply and whether the body was a request at all.
#[derive(Debug)]
pub struct Answer {
    /// JSON.
    pub body: Vec<u8>,
    /// False for bodies with error code 400.
    pub was_request: bool,
}

impl Service {
    /// The methods of `port` over `control`; `observer` is told of every call.
    #[must_use]
    pub fn new(control: Arc<dyn Control>, observer: Arc<dyn Observer>, port: Port) -> Self {
        Self { control, observer, port }
    }

    /// Answers the body of a request to `/json-rpc/<version>`. Blocks as long as the method does.
    #[must_use]
    pub fn answer(&self, version: &str, caller: &Caller, source: SocketAddr, body: &[u8]) -> Answer {
        let begin = Instant::now();
        let (mut request, mut outcome) = match Request::parse(body) {
            Ok(request) => {
                let outcome = self.guarded(version, caller, &request);
                (request, outcome)
            }
            Err(Malformed { id, error }) => (Request { id, method: String::new(), params: Map::new() }, Err(error)),
        };
        self.tell(caller, source, &request, &outcome, begin);
        let was_request = !matches!(&outcome, Err(error) if error.name == ErrorName::InvalidRequest);
        let body = codec::encode(&request.id, &outcome);
        outcome.iter_mut().for_each(Reply::wipe);
        request.wipe();
        Answer { body, was_request }
    }

    /// A panic in a method is an answer too: it must reach the audit log and must not look like a lost connection.
    fn guarded(&self, version: &str, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
        let run = AssertUnwindSafe(|| self.run(version, caller, request));
        panic::catch_unwind(run).unwrap_or_else(|_| {
            let message = "the method ended in a defect of this program; its log says where";
            Err(ApiError::new(ErrorName::AssertionFailure, message))
        })
    }

    fn run(&self, version: &str, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
        let version = Version::parse(version).ok_or_else(|| unknown_version(version))?;
        let method = methods::find(&request.method, version, self.port)?;
        caller.check(method)?;
        if method.role != Role::ReadOnly {
            self.observer.admits(method)?;
        }
        (method.run)(&Call { control: self.control.as_ref(), caller, params: &request.params })
    }

    fn tell(
        &self,
        caller: &Caller,
        source: SocketAddr,
        request: &Request,
        outcome: &Result<Reply, ApiError>,
        begin: Instant,
    ) {
        let method = methods::all().find(|method| method.name.eq_ignore_ascii_case(&request.method));
        self.observer.called(&CallRecord {
            user: caller.name(),
            role: caller.role(),
            source,
            method: name_of(method, &request.method),
            params: redact(method, &request.params),
            outcome: outcome.as_ref().map(|_| ()).map_err(|error| error.name),
            duration: begin.elapsed(),
        });
    }
}

fn name_of<'a>(method: Option<&Method>, written: &'a str) -> &'a str {
    method.map_or(written, |method| method.name)
}

fn unknown_version(text: &str) -> ApiError {
    let text: String = text.chars().take(16).collect();
    let message =
        format!("version {text:?} is not served; GetAPI in version {} lists those that are", Version::CURRENT);
    ApiError::new(ErrorName::UnknownApiVersion, message)
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("port", &self.port).finish_non_exhaustive()
    }
}
