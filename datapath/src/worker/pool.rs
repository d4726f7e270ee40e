//! The workers of a server, each on a thread of its own.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Errand, Inbox, Worker, short_turns};
use crate::ring::Kind;
use crate::volume::{SlowLane, Volume};

/// Threads that serve the same volumes.
pub struct Workers {
    inboxes: Vec<Arc<Inbox>>,
    threads: Vec<JoinHandle<io::Result<()>>>,
    lane: SlowLane,
}

impl Workers {
    /// Starts `count` workers, at least one.
    ///
    /// # Errors
    /// When the operating system refuses a thread, a ring or a descriptor; those already started end.
    pub fn start(count: usize, kind: Kind, volumes: &[Arc<Volume>]) -> io::Result<Self> {
        let lane = SlowLane::start()?;
        let mut workers = Self { inboxes: Vec::new(), threads: Vec::new(), lane: lane.clone() };
        for n in 0..count.max(1) {
            let inbox = Arc::new(Inbox::new()?);
            let (started, wait) = mpsc::channel();
            let (volumes, theirs, lane) = (volumes.to_vec(), Arc::clone(&inbox), lane.clone());
            let run = move || {
                if let Err(error) = short_turns::ask() {
                    tracing::debug!(%error, "a worker waits for the turns of others");
                }
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

    /// Lets every thread that serves, those of the slow lane included, run `act` once, and waits for that: for what the
    /// kernel keeps per thread, such as privileges.
    ///
    /// # Errors
    /// When a worker has ended.
    pub fn each_thread(&self, act: &Arc<dyn Fn() + Send + Sync>) -> io::Result<()> {
        const LOOK_AROUND: Duration = Duration::from_millis(100);
        let (acted, wait) = mpsc::channel();
        for inbox in &self.inboxes {
            let (act, acted) = (Arc::clone(act), acted.clone());
            inbox.put(Errand::Do(Box::new(move |_| {
                act();
                // The caller waits.
                let _ = acted.send(());
            })));
        }
        self.lane.each_thread(act);
        for _ in &self.inboxes {
            while let Err(RecvTimeoutError::Timeout) = wait.recv_timeout(LOOK_AROUND) {
                if self.has_failed() {
                    return Err(io::Error::other("a worker has ended"));
                }
            }
        }
        Ok(())
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
        // Whoever holds the lane last waits for what it does.
        std::mem::forget(self.lane.clone());
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use super::*;
    use crate::limits::BLOCKING_WORKERS;

    #[test]
    fn each_thread_that_serves_acts_once() {
        let workers = Workers::start(2, Kind::choose().0, &[]).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&seen);
        let act = move || theirs.lock().unwrap().push(thread::current().id());
        workers.each_thread(&(Arc::new(act) as Arc<_>)).unwrap();
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 2 + BLOCKING_WORKERS);
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), seen.len());
    }
}
