//! What other threads have for a worker.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::event::EventfdFlags;

use super::{Port, Worker};
use crate::volume::{Note, Notify};

/// Something for a worker to do.
pub enum Errand {
    /// A note for the queue of a disk.
    Note(usize, Note),
    /// A port to take in, made on the worker's thread.
    Adopt(Box<dyn FnOnce() -> Box<dyn Port> + Send>),
    /// Anything.
    Do(Box<dyn FnOnce(&mut Worker) + Send>),
    /// Every port is to end.
    Stop,
}

/// Errands that wait for a worker, and what wakes it.
pub struct Inbox {
    wake: OwnedFd,
    errands: Mutex<Vec<Errand>>,
}

impl Inbox {
    /// An empty inbox.
    ///
    /// # Errors
    /// When the operating system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let wake = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { wake, errands: Mutex::default() })
    }

    /// Leaves an errand and wakes the worker.
    pub fn put(&self, errand: Errand) {
        let mut errands = self.errands();
        errands.push(errand);
        let first = errands.len() == 1;
        drop(errands);
        if first && let Err(error) = rustix::io::write(&self.wake, &1_u64.to_ne_bytes()) {
            tracing::error!(%error, "a worker could not be woken");
        }
    }

    /// What is there. The worker is woken again by what comes later.
    pub(super) fn take(&self) -> Vec<Errand> {
        let mut count = [0; 8];
        // Nothing to be read means that it was read before, which is as well.
        let _ = rustix::io::read(&self.wake, &mut count);
        std::mem::take(&mut *self.errands())
    }

    pub(super) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.wake.try_clone()
    }

    fn errands(&self) -> MutexGuard<'_, Vec<Errand>> {
        self.errands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

struct DiskNotes {
    inbox: Arc<Inbox>,
    disk: usize,
}

impl Notify for DiskNotes {
    fn notify(&self, note: Note) {
        self.inbox.put(Errand::Note(self.disk, note));
    }
}

/// Takes notes to the queue of the worker's disk at that position.
pub(super) fn for_disk(inbox: &Arc<Inbox>, disk: usize) -> Arc<dyn Notify> {
    Arc::new(DiskNotes { inbox: Arc::clone(inbox), disk })
}
