//! The HTTPS server. It owns its threads: callers stay free of async code.
//!
//! ```text
//! accept ─▶ room for one more? ─▶ TLS ─▶ HTTP/1.1 ─▶ caller ─▶ body ─▶ Service, on a thread that may block
//!   └─ each arrow has a limit in `Limits`; what goes over it is closed or answered, and the next connection is served
//! ```

mod config;
mod connection;
mod door;
mod gate;
mod http;
mod identity;
mod listener;
mod room;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

pub use config::{Hooks, Limits, ServerConfig};
pub use gate::Setup;
pub use identity::{Identity, IdentityError};

use super::control::Control;
use super::observer::Observer;
use super::service::Service;
use door::Door;
use gate::Gate;
use room::Room;

/// Threads for sockets and TLS. Methods run on others.
const NETWORK_THREADS: usize = 2;
/// Threads that may block beside those of running calls: they look up accounts and check passwords.
const SPARE_THREADS: usize = 8;

/// A server that runs until it is stopped or dropped.
pub struct Server {
    address: SocketAddr,
    door: Arc<Door>,
    stop: watch::Sender<bool>,
    listener: Option<JoinHandle<()>>,
    runtime: Option<Runtime>,
    grace: Duration,
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, not ours, or needs more privileges.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The operating system gives no threads.
    #[error("cannot start the threads of the API server: {0}")]
    Threads(#[source] io::Error),
    /// Certificate and key cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The system's random generator failed.
    #[error("the operating system gave no randomness")]
    NoRandomness,
}

/// What every connection needs.
struct Shared {
    service: Service,
    gate: Arc<Gate>,
    observer: Arc<dyn Observer>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    calls: Arc<Semaphore>,
    limits: Limits,
}

impl Server {
    /// Starts to serve `control`. Connections are accepted when this returns.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(config: ServerConfig, control: Arc<dyn Control>, hooks: Hooks) -> Result<Self, StartError> {
        let door = Arc::new(Door::new(config.identity)?);
        let limits = config.limits;
        let shared = Arc::new(Shared {
            service: Service::new(Arc::clone(&control), Arc::clone(&hooks.observer), config.port),
            gate: Arc::new(Gate::new(control, config.setup).ok_or(StartError::NoRandomness)?),
            observer: hooks.observer,
            metrics: hooks.metrics,
            calls: Arc::new(Semaphore::new(limits.calls)),
            limits,
        });
        let runtime = runtime(limits.calls)?;
        let listen = |source| StartError::Listen { address: config.listen, source };
        let socket = runtime.block_on(socket(config.socket, config.listen)).map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        let (stop, stopped) = watch::channel(false);
        let room = Room::new(limits.connections, limits.connections_per_source);
        let listener = runtime.spawn(listener::run(socket, Arc::clone(&door), shared, room, stopped));
        Ok(Self { address, door, stop, listener: Some(listener), runtime: Some(runtime), grace: limits.grace })
    }

    /// Where it listens; the port is the one that was chosen when the configured one was 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows another certificate to those who connect from now on. Connections that are open go on.
    ///
    /// # Errors
    /// When certificate and key cannot be used; the old ones stay.
    pub fn set_identity(&self, identity: Identity) -> Result<(), IdentityError> {
        self.door.change(identity)
    }

    /// Stops in order: no new connections, running calls are answered within [`Limits::grace`]. A method that takes
    /// longer is waited for once more as long, and then left behind. Not to be called from async code.
    pub fn stop(mut self) {
        self.stop_within(self.grace);
    }

    fn stop_within(&mut self, grace: Duration) {
        // It fails when the listener is gone already, which is what is wanted.
        let _ = self.stop.send(true);
        if let (Some(runtime), Some(listener)) = (self.runtime.take(), self.listener.take()) {
            // The listener waits for its connections by itself; a panic in it has been reported by its thread.
            let _ = runtime.block_on(listener);
            runtime.shutdown_timeout(grace);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop_within(self.grace);
    }
}

/// The socket that there is, or a new one.
async fn socket(bound: Option<std::net::TcpListener>, listen: SocketAddr) -> io::Result<TcpListener> {
    let Some(bound) = bound else { return TcpListener::bind(listen).await };
    bound.set_nonblocking(true)?;
    TcpListener::from_std(bound)
}

fn runtime(calls: usize) -> Result<Runtime, StartError> {
    Builder::new_multi_thread()
        .worker_threads(NETWORK_THREADS)
        .max_blocking_threads(calls + SPARE_THREADS)
        .thread_name("sear-api")
        .enable_io()
        .enable_time()
        .build()
        .map_err(StartError::Threads)
}
