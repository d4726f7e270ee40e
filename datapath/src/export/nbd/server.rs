//! The server: listens, starts its workers, and ends in order.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::accept::{Accept, Load};
use super::exports::{BadExport, Export, Exports};
use super::limits::Limits;
use super::listen::{Listen, ListenError, Listener};
use super::publisher::Publisher;
use super::shared::Shared;
use super::tls::{Tls, TlsConfig, TlsError};
use super::uri::Uri;
use crate::disk::{BlockingDisk, IoError};
use crate::ring::Kind;
use crate::volume::Volume;
use crate::worker::{Errand, Workers};

/// How often the end of the connections is looked for.
const LOOK: Duration = Duration::from_millis(2);

/// Everything a server is made from.
pub struct Config {
    /// What is offered at first, perhaps nothing; the first is the default.
    pub exports: Vec<Export>,
    /// Where.
    pub listen: Vec<Listen>,
    /// TLS, if at all; it holds for every listener.
    pub tls: Option<TlsConfig>,
    /// What clients may use up.
    pub limits: Limits,
    /// Threads that serve; `None`: one for each core, up to eight.
    pub workers: Option<usize>,
    /// How they do their I/O; `None`: the best that the kernel allows.
    pub ring: Option<Kind>,
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
    /// The system has no thread, ring or descriptor left.
    #[error("cannot start the threads that serve: {0}")]
    Workers(#[from] io::Error),
}

/// Why a server did not end as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A worker's ring failed.
    #[error("a thread that serves has failed: {0}")]
    Ring(#[from] io::Error),
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
    shared: Arc<Shared>,
    stop: Arc<Stop>,
    workers: Workers,
    listeners: Vec<Listener>,
    load: Arc<Load>,
}

/// The wish to end.
#[derive(Default)]
struct Stop {
    wished: Mutex<bool>,
    changed: Condvar,
}

/// Ends a running server from another thread.
#[derive(Clone)]
pub struct Handle(Arc<Stop>);

impl Handle {
    /// Asks the server to stop: [`Server::run`] drains, flushes and returns. Asking twice is harmless.
    pub fn shutdown(&self) {
        *self.0.wished.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }
}

impl Server {
    /// Listens everywhere it is told to. Clients that connect are served once [`Server::run`] is called.
    ///
    /// # Errors
    /// See [`BindError`].
    pub fn bind(config: Config) -> Result<Self, BindError> {
        let exports = Exports::new(config.exports)?;
        let tls = config.tls.as_ref().map_or_else(|| Ok(Tls::none()), Tls::load)?;
        let listeners = config.listen.iter().map(Listener::bind).collect::<Result<Vec<_>, _>>()?;
        let limits = config.limits.workable();
        let volumes: Vec<Arc<Volume>> = exports.list().iter().map(|export| Arc::clone(&export.volume)).collect();
        let workers = Workers::start(config.workers.unwrap_or_else(cores), kind(config.ring), &volumes)?;
        let load = Arc::new(Load::new(workers.inboxes(), limits.connections));
        let shared = Arc::new(Shared::new(exports, tls, limits));
        Ok(Self { shared, stop: Arc::default(), workers, listeners, load })
    }

    /// What ends this server.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle(Arc::clone(&self.stop))
    }

    /// What adds and removes exports while this server runs.
    #[must_use]
    pub fn publisher(&self) -> Publisher {
        Publisher::new(Arc::clone(&self.shared), self.workers.inboxes().to_vec())
    }

    /// Where it listens, as the URI of the default export; ports chosen by the system filled in.
    #[must_use]
    pub fn addresses(&self) -> Vec<Uri> {
        let tls = self.shared.tls.mode();
        self.listeners.iter().map(|at| Uri { at: at.at(), export: String::new(), tls }).collect()
    }

    /// The threads that serve, which other exports of the same volumes can share.
    #[must_use]
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// Where clients find each export: every export at every listener, ports chosen by the system filled in.
    #[must_use]
    pub fn uris(&self) -> Vec<Uri> {
        let tls = self.shared.tls.mode();
        let uri = |at: &Listener, export: &Export| Uri { at: at.at(), export: export.name.clone(), tls };
        let exports = self.shared.exports.list();
        self.listeners.iter().flat_map(|at| exports.iter().map(move |export| uri(at, export))).collect()
    }

    /// Serves until [`Handle::shutdown`]; then stops accepting, lets requests in flight end, flushes every disk and
    /// returns.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn run(self) -> Result<(), RunError> {
        let Self { shared, stop, workers, listeners, load } = self;
        // Listeners wait for connections that come now and then: one worker is enough for all.
        for listener in listeners {
            let (shared, load) = (Arc::clone(&shared), Arc::clone(&load));
            let accept = move || -> Box<dyn crate::worker::Port> { Box::new(Accept::new(listener, shared, load)) };
            workers.inboxes()[0].put(Errand::Adopt(Box::new(accept)));
        }
        stop.wait(|| workers.has_failed());
        shared.stop();
        workers.stop();
        if !workers.wait_for_end(shared.limits.drain) {
            shared.cut();
            workers.stop();
            if !workers.wait_for_end(shared.limits.drain) {
                let stuck = load.total();
                workers.abandon();
                return Err(RunError::Stuck(stuck));
            }
        }
        workers.join()?;
        flush(&shared.exports)
    }
}

impl Stop {
    /// Waits for the wish, or until `enough` says so.
    fn wait(&self, enough: impl Fn() -> bool) {
        const LOOK_AROUND: Duration = Duration::from_millis(500);
        let mut wished = self.wished.lock().unwrap_or_else(PoisonError::into_inner);
        while !*wished && !enough() {
            wished = self.changed.wait_timeout(wished, LOOK_AROUND).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Workers {
    /// Whether all have ended within `limit`.
    fn wait_for_end(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while !self.have_ended() {
            if Instant::now() >= end {
                return false;
            }
            thread::sleep(LOOK);
        }
        true
    }
}

/// One worker for each core, up to eight.
fn cores() -> usize {
    const MOST: usize = 8;
    thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST))
}

fn kind(asked: Option<Kind>) -> Kind {
    asked.unwrap_or_else(|| {
        let (kind, refused) = Kind::choose();
        if let Some(error) = refused {
            tracing::warn!(%error, "io_uring is not to be had; serving by plain calls, which is slower");
        }
        kind
    })
}

/// Brings what clients wrote to the medium; every export is tried, the first failure is told.
fn flush(exports: &Exports) -> Result<(), RunError> {
    let exports = exports.list();
    let writable = exports.iter().filter(|export| !export.volume.geometry().read_only);
    let outcomes: Vec<_> = writable
        .map(|export| export.volume.flush().map_err(|source| RunError::Flush { export: export.name.clone(), source }))
        .collect();
    outcomes.into_iter().collect()
}
