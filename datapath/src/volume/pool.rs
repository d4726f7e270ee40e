//! A few threads that run jobs in order of arrival: what makes a blocking call complete later.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Barrier, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

type Job = Box<dyn FnOnce() + Send>;

/// Threads that live until the pool is dropped, which waits for every job.
pub(super) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Pool {
    /// Starts `workers` threads.
    ///
    /// # Errors
    /// When the operating system refuses a thread; those already started end.
    pub(super) fn start(workers: usize) -> io::Result<Self> {
        let mut pool = Self { shared: Arc::default(), workers: Vec::with_capacity(workers) };
        for n in 0..workers {
            let shared = Arc::clone(&pool.shared);
            pool.workers.push(thread::Builder::new().name(format!("volume-{n}")).spawn(move || shared.work())?);
        }
        Ok(pool)
    }

    /// Runs `job` on one of the threads.
    pub(super) fn run(&self, job: impl FnOnce() + Send + 'static) {
        self.shared.lock().jobs.push_back(Box::new(job));
        self.shared.arrived.notify_one();
    }

    /// Lets every thread run `act` once, after what it does now, and waits for that. Not to be called on such a thread.
    pub(super) fn each_thread(&self, act: &Arc<dyn Fn() + Send + Sync>) {
        // Whoever has acted waits for the others, so nobody takes a second turn; the caller is the last to be awaited.
        let together = Arc::new(Barrier::new(self.workers.len() + 1));
        for _ in &self.workers {
            let (act, together) = (Arc::clone(act), Arc::clone(&together));
            self.run(move || {
                act();
                together.wait();
            });
        }
        together.wait();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_all();
        let me = thread::current().id();
        for worker in self.workers.drain(..) {
            // The job that ran last may own the pool: then it is dropped here, on a worker, which cannot await itself.
            if worker.thread().id() != me && worker.join().is_err() {
                tracing::error!("a thread of a volume panicked");
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    /// Waits for a job; `None` once the pool is closed and no job is left.
    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn dropping_the_pool_waits_for_every_job() {
        let ran = Arc::new(AtomicUsize::new(0));
        let pool = Pool::start(3).unwrap();
        for _ in 0..100 {
            let ran = Arc::clone(&ran);
            pool.run(move || {
                ran.fetch_add(1, Ordering::SeqCst);
            });
        }
        drop(pool);
        assert_eq!(ran.load(Ordering::SeqCst), 100);
    }

    #[test]
    fn each_thread_acts_once() {
        let pool = Pool::start(3).unwrap();
        let (acted, seen) = mpsc::channel();
        pool.each_thread(&(Arc::new(move || acted.send(thread::current().id()).unwrap()) as Arc<_>));
        drop(pool);
        let threads: std::collections::HashSet<_> = seen.iter().collect();
        assert_eq!(threads.len(), 3);
        assert!(!threads.contains(&thread::current().id()));
    }

    #[test]
    fn a_job_may_own_the_pool_it_runs_on() {
        let pool = Arc::new(Pool::start(2).unwrap());
        let (done, dropped) = mpsc::channel();
        let owner = Arc::clone(&pool);
        let (release, released) = mpsc::channel::<()>();
        pool.run(move || {
            released.recv().unwrap();
            drop(owner);
            done.send(()).unwrap();
        });
        drop(pool);
        release.send(()).unwrap();
        dropped.recv().unwrap();
    }
}
