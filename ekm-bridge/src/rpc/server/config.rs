//! What a server is told at its start.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use super::{Identity, Setup};
use crate::rpc::methods::Port;
use crate::rpc::observer::{Observer, Unobserved};

/// Where and how to serve.
pub struct ServerConfig {
    /// Address and port; port 0 is any free one.
    pub listen: SocketAddr,
    /// A socket that listens already, in the place of `listen`: for a process that may bind none any more.
    pub socket: Option<TcpListener>,
    /// Certificate and key.
    pub identity: Identity,
    /// Which methods. Public SDKs expect the cluster's on 443, a node's on 442, and all on any other port.
    pub port: Port,
    /// From where `CreateCluster` is taken.
    pub setup: Setup,
    /// Limits.
    pub limits: Limits,
}

impl ServerConfig {
    /// All methods on `listen`, `CreateCluster` from this machine only, default limits.
    #[must_use]
    pub fn new(listen: SocketAddr, identity: Identity) -> Self {
        Self { listen, socket: None, identity, port: Port::Any, setup: Setup::Loopback, limits: Limits::default() }
    }
}

/// What clients may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; more wait in the kernel's queue.
    pub connections: usize,
    /// Connections of one address at a time; more are closed.
    pub connections_per_source: usize,
    /// Calls that run at a time; more wait.
    pub calls: usize,
    /// Bytes of the head of a request, at least 8192.
    pub head_bytes: usize,
    /// Headers of a request.
    pub headers: usize,
    /// Bytes of the body of a request. The largest there are hold two certificate chains.
    pub body_bytes: usize,
    /// To finish the TLS handshake.
    pub handshake_time: Duration,
    /// To send the head of a request; also how long a connection may lie idle.
    pub head_time: Duration,
    /// To send the body of a request.
    pub body_time: Duration,
    /// Age at which a connection is closed after the call that runs.
    pub connection_age: Duration,
    /// For running calls when the server stops, and for the last call of an old connection.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            connections_per_source: 64,
            calls: 32,
            head_bytes: 16 << 10,
            headers: 64,
            body_bytes: 256 << 10,
            handshake_time: Duration::from_secs(10),
            head_time: Duration::from_secs(20),
            body_time: Duration::from_secs(20),
            connection_age: Duration::from_secs(600),
            grace: Duration::from_secs(30),
        }
    }
}

/// Whom the server tells and asks beside the node.
#[derive(Clone)]
pub struct Hooks {
    /// Is told of every call.
    pub observer: Arc<dyn Observer>,
    /// The text of `GET /metrics`, in the Prometheus format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { observer: Arc::new(Unobserved), metrics: Arc::new(String::new) }
    }
}
