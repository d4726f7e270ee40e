//! How a server is reached.

use std::time::Duration;

use super::Endpoint;

/// One server, which may have several addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// What people call it.
    pub name: String,
    /// Where it listens. They are tried in this order; what answers is kept.
    pub endpoints: Vec<Endpoint>,
    /// How long a connection may take, TLS included, for each address.
    pub connect_timeout: Duration,
    /// How long a request may take, from its first byte to the last of the answer.
    pub request_timeout: Duration,
}

impl ServerConfig {
    /// A server with the usual time-outs: 5 seconds to connect, 15 for a request.
    #[must_use]
    pub fn new(name: &str, endpoints: Vec<Endpoint>) -> Self {
        Self {
            name: name.into(),
            endpoints,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(15),
        }
    }
}
