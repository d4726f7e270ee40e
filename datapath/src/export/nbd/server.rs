//! The server: listens, gives each connection its threads, and ends in order.

use std::collections::HashMap;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags};

use super::budget::Budget;
use super::connection::{self, Shared};
use super::exports::{BadExport, Export, Exports};
use super::limits::Limits;
use super::listen::{Listen, ListenError, Listener};
use super::socket::Socket;
use super::tls::{Tls, TlsConfig, TlsError};
use super::uri::Uri;
use crate::buf::Buf;
use crate::disk::{Command, Io, IoError};

/// How long accepting pauses when the system has no descriptor or memory left for one more connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Everything a server is made from.
pub struct Config {
    /// What is offered; the first is the default.
    pub exports: Vec<Export>,
    /// Where.
    pub listen: Vec<Listen>,
    /// TLS, if at all; it holds for every listener.
    pub tls: Option<TlsConfig>,
    /// What clients may use up.
    pub limits: Limits,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The exports.
    #[error(transparent)]
    Export(#[from] BadExport),
    /// A listener.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The system has no eventfd left.
    #[error("cannot create an eventfd: {0}")]
    Wake(io::Error),
}

/// Why a server did not end as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Waiting for connections failed.
    #[error("cannot wait for connections: {0}")]
    Poll(io::Error),
    /// The last flush of a disk failed: writes that no client had flushed may be lost.
    #[error("the last flush of export '{export}' failed: {source}")]
    Flush {
        /// Its name.
        export: String,
        /// Why.
        source: IoError,
    },
    /// Requests did not end even after their connections were cut; the disks were not flushed.
    #[error("{0} connections still have requests in flight that the disk does not complete")]
    Stuck(usize),
}

/// A server that listens already.
pub struct Server {
    listeners: Vec<Listener>,
    core: Arc<Core>,
}

struct Core {
    shared: Shared,
    connections: Mutex<HashMap<u64, Arc<Socket>>>,
    ended: Condvar,
    wake: OwnedFd,
}

/// Ends a running server from another thread.
#[derive(Clone)]
pub struct Handle(Arc<Core>);

impl Handle {
    /// Asks the server to stop: [`Server::run`] drains, flushes and returns. Asking twice is harmless.
    pub fn shutdown(&self) {
        self.0.shared.stopping.store(true, Ordering::Relaxed);
        if let Err(error) = rustix::io::write(&self.0.wake, &1_u64.to_ne_bytes()) {
            tracing::error!(%error, "the server could not be woken");
        }
    }
}

impl Server {
    /// Listens everywhere it is told to. Clients that connect are served once [`Server::run`] is called.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(config: Config) -> Result<Self, BindError> {
        let exports = Exports::new(config.exports)?;
        let tls = config.tls.as_ref().map_or(Ok(Tls::NONE), Tls::load)?;
        let listeners = config.listen.iter().map(Listener::bind).collect::<Result<_, _>>()?;
        let limits = config.limits.workable();
        let budget = Budget::new(limits.in_flight);
        let wake = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| BindError::Wake(error.into()))?;
        let shared = Shared { exports, tls, limits, budget, stopping: AtomicBool::new(false) };
        let core = Core { shared, connections: Mutex::default(), ended: Condvar::new(), wake };
        Ok(Self { listeners, core: Arc::new(core) })
    }

    /// What ends this server.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.core))
    }

    /// Where clients find each export: every export at every listener, ports chosen by the system filled in.
    #[must_use]
    pub fn uris(&self) -> Vec<Uri> {
        let tls = self.core.shared.tls.mode();
        let uri = |at: &Listener, export: &Export| Uri { at: at.at(), export: export.name.clone(), tls };
        let exports = || self.core.shared.exports.iter();
        self.listeners.iter().flat_map(|at| exports().map(move |export| uri(at, export))).collect()
    }

    /// Serves until [`Handle::shutdown`]; then stops accepting, lets requests in flight end, flushes every disk and
    /// returns.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn run(self) -> Result<(), RunError> {
        let Self { listeners, core } = self;
        let served = accept_all(&listeners, &core).map_err(RunError::Poll);
        core.shared.stopping.store(true, Ordering::Relaxed);
        drop(listeners);
        let drained = core.drain().map_err(RunError::Stuck);
        drained.and_then(|()| core.flush()).and(served)
    }
}

/// Accepts until the server is to stop.
fn accept_all(listeners: &[Listener], core: &Arc<Core>) -> io::Result<()> {
    let mut next_id = 0;
    while !core.shared.stopping.load(Ordering::Relaxed) {
        for listener in ready(listeners, core)? {
            match listener.accept() {
                Ok(socket) => {
                    next_id += 1;
                    core.admit(next_id, socket);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
                Err(error) => {
                    tracing::warn!(at = %listener.at(), %error, "a connection could not be accepted");
                    thread::sleep(ACCEPT_PAUSE);
                }
            }
        }
    }
    Ok(())
}

/// Waits until a client connects or the server is woken; the listeners that have a connection.
fn ready<'a>(listeners: &'a [Listener], core: &Core) -> io::Result<Vec<&'a Listener>> {
    let sources = listeners.iter().map(AsFd::as_fd).chain([core.wake.as_fd()]);
    let mut polled: Vec<PollFd<'_>> = sources.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    match rustix::event::poll(&mut polled, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => (),
        Err(error) => return Err(error.into()),
    }
    Ok(listeners.iter().zip(&polled).filter(|(_, fd)| !fd.revents().is_empty()).map(|(listener, _)| listener).collect())
}

impl Core {
    /// Starts the thread of a new connection, or closes it when there are too many.
    fn admit(self: &Arc<Self>, id: u64, socket: Socket) {
        let socket = Arc::new(socket);
        let mut connections = self.connections();
        if connections.len() >= self.shared.limits.connections {
            return tracing::warn!(limit = connections.len(), "a connection was closed: too many at a time");
        }
        connections.insert(id, Arc::clone(&socket));
        drop(connections);
        let ending = Ending { core: Arc::clone(self), id };
        let serve = move || {
            if let Err(fault) = connection::serve(&socket, &ending.core.shared) {
                tracing::info!(connection = ending.id, %fault, "a connection was cut");
            }
        };
        if let Err(error) = thread::Builder::new().name(format!("nbd-{id}")).spawn(serve) {
            tracing::warn!(%error, "a connection was closed: no thread for it");
        }
    }

    /// Waits for the connections to end: first for their requests, then, cut off, for what the disk still does.
    fn drain(&self) -> Result<(), usize> {
        for how in [Shutdown::Read, Shutdown::Both] {
            self.connections().values().for_each(|socket| socket.shutdown(how));
            if self.wait_for_end() {
                return Ok(());
            }
        }
        Err(self.connections().len())
    }

    /// Whether every connection ended within the drain limit.
    fn wait_for_end(&self) -> bool {
        let end = Instant::now() + self.shared.limits.drain;
        let mut connections = self.connections();
        while !connections.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            connections = self.ended.wait_timeout(connections, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Brings what clients wrote to the medium; every export is tried, the first failure is told.
    fn flush(&self) -> Result<(), RunError> {
        let writable = self.shared.exports.iter().filter(|export| !export.disk.geometry().read_only);
        let outcomes: Vec<_> = writable.map(flush).collect();
        outcomes.into_iter().collect()
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, Arc<Socket>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn flush(export: &Export) -> Result<(), RunError> {
    let (done, wait) = mpsc::channel();
    let io = Io { command: Command::Flush, offset: 0, len: 0, buf: Buf::zeroed(0) };
    export.disk.submit(io, Box::new(move |outcome| drop(done.send(outcome.result))));
    let lost = || Err(io::Error::other("the disk did not complete it").into());
    let result = wait.recv().unwrap_or_else(|_| lost());
    result.map_err(|source| RunError::Flush { export: export.name.clone(), source })
}

/// Takes a connection off the list when its thread ends, in whatever way.
struct Ending {
    core: Arc<Core>,
    id: u64,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.core.connections().remove(&self.id);
        self.core.ended.notify_all();
    }
}
