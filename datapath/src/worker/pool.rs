//! The workers of a server, each on a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use super::{Errand, Inbox, Worker};
use crate::ring::Kind;
use crate::volume::{SlowLane, Volume};

/// Threads that serve the same volumes.
pub struct Workers {
    inboxes: Vec<Arc<Inbox>>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Workers {
    /// Starts `count` workers, at least one.
    ///
    /// # Errors
    /// When the operating system refuses a thread, a ring or a descriptor; those already started end.
    pub fn start(count: usize, kind: Kind, volumes: &[Arc<Volume>]) -> io::Result<Self> {
        let lane = SlowLane::start()?;
        let mut workers = Self { inboxes: Vec::new(), threads: Vec::new() };
        for n in 0..count.max(1) {
            let inbox = Arc::new(Inbox::new()?);
            let (started, wait) = mpsc::channel();
            let (volumes, theirs, lane) = (volumes.to_vec(), Arc::clone(&inbox), lane.clone());
            let run = move || {
                let mut worker = match Worker::new(kind, &volumes, theirs, &lane) {
                    Ok(worker) => worker,
                    Err(error) => {
                        // If nobody waits any more, nobody wants to know.
                        let _ = started.send(Err(error));
                        return Ok(());
                    }
                };
                drop(volumes);
                let _ = started.send(Ok(()));
                worker.run()
            };
            workers.threads.push(thread::Builder::new().name(format!("worker-{n}")).spawn(run)?);
            workers.inboxes.push(inbox);
            wait.recv().unwrap_or_else(|_| Err(io::Error::other("a worker ended before it began")))?;
        }
        Ok(workers)
    }

    /// The workers' inboxes.
    #[must_use]
    pub fn inboxes(&self) -> &[Arc<Inbox>] {
        &self.inboxes
    }

    /// Asks every port to end.
    pub fn stop(&self) {
        self.inboxes.iter().for_each(|inbox| inbox.put(Errand::Stop));
    }

    /// Whether every worker has ended.
    #[must_use]
    pub fn have_ended(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Whether a worker has ended without being asked to.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Gives up on workers that do not end: they go on by themselves until the process ends.
    pub fn abandon(mut self) {
        self.threads.clear();
    }

    /// Waits until every worker has ended.
    ///
    /// # Errors
    /// The first failure of a ring.
    pub fn join(mut self) -> io::Result<()> {
        let panicked = || Err(io::Error::other("a worker panicked"));
        let ends: Vec<_> = self.threads.drain(..).map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect();
        ends.into_iter().collect()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop();
        for thread in self.threads.drain(..) {
            if !matches!(thread.join(), Ok(Ok(()))) {
                tracing::error!("a worker did not end well");
            }
        }
    }
}
