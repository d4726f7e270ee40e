//! Takes connections in and spreads them over the workers.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::connection::Connection;
use super::listen::Listener;
use super::shared::Shared;
use crate::ring::{File, Held};
use crate::volume::Finished;
use crate::worker::{Context, Errand, Inbox, Port};

const READY: u32 = 0;

/// How many connections each worker has.
pub(super) struct Load {
    workers: Vec<(Arc<Inbox>, AtomicUsize)>,
    limit: usize,
    total: AtomicUsize,
}

impl Load {
    pub(super) fn new(inboxes: &[Arc<Inbox>], limit: usize) -> Self {
        let workers = inboxes.iter().map(|inbox| (Arc::clone(inbox), AtomicUsize::new(0))).collect();
        Self { workers, limit, total: AtomicUsize::new(0) }
    }

    /// How many connections there are.
    pub(super) fn total(&self) -> usize {
        self.total.load(Ordering::SeqCst)
    }

    /// A place at the worker that has the fewest, unless there are as many as may be.
    fn place(self: &Arc<Self>) -> Option<Place> {
        let taken = |total: usize| (total < self.limit).then_some(total + 1);
        self.total.fetch_update(Ordering::SeqCst, Ordering::SeqCst, taken).ok()?;
        let loads = self.workers.iter().map(|(_, load)| load.load(Ordering::SeqCst));
        let worker = loads.enumerate().min_by_key(|(_, load)| *load).map_or(0, |(worker, _)| worker);
        self.workers[worker].1.fetch_add(1, Ordering::SeqCst);
        Some(Place { load: Arc::clone(self), worker })
    }
}

/// A connection's place, given back when it is over.
pub(super) struct Place {
    load: Arc<Load>,
    worker: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.load.workers[self.worker].1.fetch_sub(1, Ordering::SeqCst);
        self.load.total.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A listener, as a port of one worker.
pub(super) struct Accept {
    listener: Option<Listener>,
    file: Option<File>,
    shared: Arc<Shared>,
    load: Arc<Load>,
    waiting: bool,
    /// Accepting pauses until the next tick: the system has no descriptor or memory left for one more connection.
    paused: bool,
}

impl Accept {
    pub(super) fn new(listener: Listener, shared: Arc<Shared>, load: Arc<Load>) -> Self {
        Self { listener: Some(listener), file: None, shared, load, waiting: false, paused: false }
    }

    /// Takes in what there is.
    fn accept(&mut self, cx: &mut Context<'_>) {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok(socket) => self.admit(socket, cx),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => {
                    tracing::warn!(at = %listener.at(), %error, "a connection could not be accepted");
                    self.paused = true;
                    break;
                }
            }
        }
    }

    fn admit(&self, socket: OwnedFd, cx: &mut Context<'_>) {
        let Some(place) = self.load.place() else {
            return tracing::warn!(limit = self.load.limit, "a connection was closed: too many at a time");
        };
        let shared = Arc::clone(&self.shared);
        let inbox = &self.load.workers[place.worker].0;
        if Arc::ptr_eq(inbox, cx.inbox()) {
            return cx.adopt(Box::new(Connection::new(socket, shared, place)));
        }
        inbox.put(Errand::Adopt(Box::new(move || Box::new(Connection::new(socket, shared, place)))));
    }
}

impl Port for Accept {
    fn begin(&mut self, cx: &mut Context<'_>) {
        let Some(listener) = &self.listener else { return };
        match listener.as_fd().try_clone_to_owned() {
            Ok(fd) => self.file = Some(cx.ring.unlisted_file(fd)),
            Err(error) => {
                tracing::error!(at = %listener.at(), %error, "cannot accept connections");
                self.listener = None;
            }
        }
    }

    fn on_ring(&mut self, _: u32, _: io::Result<u32>, _: Held, cx: &mut Context<'_>) {
        self.waiting = false;
        self.accept(cx);
    }

    fn on_disk(&mut self, _: u32, _: Finished, _: &mut Context<'_>) {}

    fn settle(&mut self, cx: &mut Context<'_>) {
        if let Some(file) = &self.file
            && self.listener.is_some()
            && !self.waiting
            && !self.paused
        {
            self.waiting = true;
            let tag = cx.tag(READY);
            cx.ring.readable(file, tag);
        }
    }

    fn on_tick(&mut self, _: &mut Context<'_>) {
        self.paused = false;
    }

    fn stop(&mut self, _: &mut Context<'_>) {
        // The socket's file goes with the listener; the end of listening wakes the poll that is in flight.
        self.listener = None;
        if let Some(file) = &self.file
            && let Err(error) = rustix::net::shutdown(file, rustix::net::Shutdown::Both)
        {
            tracing::debug!(%error, "a listener could not be shut down");
        }
    }

    fn is_over(&self) -> bool {
        self.listener.is_none() && !self.waiting
    }
}
