//! A steady load on a worker of the calling thread: a fixed number of operations in flight until a number of them is
//! done.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datapath::disk::Command;
use datapath::ring::{Held, Kind};
use datapath::volume::{Finished, Job, SlowLane, Volume};
use datapath::worker::{Context, Inbox, Port, Worker};

/// What a load consists of.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// [`Command::Read`] or [`Command::Write`].
    pub command: Command,
    /// Length of each operation in bytes: whole sectors. On a worker, at most a chunk.
    pub len: usize,
    /// Operations in flight.
    pub depth: usize,
}

/// A worker that serves one volume.
pub struct Bench {
    worker: Worker,
}

impl Bench {
    /// A worker for `volume`, on the best ring that the kernel allows.
    ///
    /// # Errors
    /// When the operating system refuses the ring or a thread.
    pub fn new(volume: Arc<Volume>) -> io::Result<Self> {
        let (inbox, lane) = (Arc::new(Inbox::new()?), SlowLane::start()?);
        Ok(Self { worker: Worker::new(Kind::choose().0, &[volume], inbox, &lane)? })
    }

    /// Runs `count` operations of `load`, and tells how long they took. Offsets walk over the volume in steps that visit
    /// every place before they repeat, so that neighbours in time are not neighbours in space.
    ///
    /// # Errors
    /// The first operation's that failed, or the ring's.
    pub fn run(&mut self, load: Load, count: u64) -> io::Result<Duration> {
        let state = Rc::new(RefCell::new(State { unstarted: count, unfinished: count, failure: None }));
        let port = Source { load, offsets: None, plain: vec![0x5a; load.len], state: Rc::clone(&state) };
        let started = Instant::now();
        self.worker.adopt(Box::new(port));
        while state.borrow().unfinished > 0 && state.borrow().failure.is_none() {
            self.worker.turn(true)?;
        }
        let elapsed = started.elapsed();
        match state.borrow_mut().failure.take() {
            Some(failure) => Err(failure),
            None => Ok(elapsed),
        }
    }
}

struct State {
    unstarted: u64,
    unfinished: u64,
    failure: Option<io::Error>,
}

struct Source {
    load: Load,
    offsets: Option<Offsets>,
    plain: Vec<u8>,
    state: Rc<RefCell<State>>,
}

impl Source {
    fn start(&mut self, cx: &mut Context<'_>) {
        if self.state.borrow().unstarted == 0 {
            return;
        }
        let Some(offset) = self.offsets.as_mut().map(Offsets::advance) else { return };
        let Some(mut chunk) = cx.ring.arena().take(self.load.len) else {
            return self.fail(io::Error::other("the load is deeper or longer than a worker's memory"));
        };
        self.state.borrow_mut().unstarted -= 1;
        let job = match self.load.command {
            Command::Write { fua } => {
                cx.disk(0).seal_to(offset, &self.plain, &mut chunk);
                Job::Write { offset, chunk, fua }
            }
            _ => Job::Read { offset, chunk },
        };
        cx.start(0, job, 0);
    }

    fn fail(&self, error: io::Error) {
        self.state.borrow_mut().failure.get_or_insert(error);
    }
}

impl Port for Source {
    fn begin(&mut self, cx: &mut Context<'_>) {
        self.offsets = Some(Offsets::new(cx.disk(0).volume().geometry().len.0, self.load.len as u64));
        (0..self.load.depth).for_each(|_| self.start(cx));
    }

    fn on_ring(&mut self, _: u32, _: io::Result<u32>, _: Held, _: &mut Context<'_>) {}

    fn on_disk(&mut self, _: u32, finished: Finished, cx: &mut Context<'_>) {
        self.state.borrow_mut().unfinished -= 1;
        match finished.result {
            Ok(()) => {
                drop(finished.payload);
                self.start(cx);
            }
            Err(error) => self.fail(io::Error::other(error)),
        }
    }

    fn stop(&mut self, _: &mut Context<'_>) {}

    fn is_over(&self) -> bool {
        self.state.borrow().unfinished == 0
    }
}

/// Places on a volume in a scattered order.
pub struct Offsets {
    places: u64,
    len: u64,
    place: u64,
}

impl Offsets {
    /// Places of `len` bytes on a volume of `disk` bytes; it holds at least one.
    #[must_use]
    pub fn new(disk: u64, len: u64) -> Self {
        Self { places: (disk / len).max(1), len, place: 0 }
    }

    /// The next place in bytes.
    pub fn advance(&mut self) -> u64 {
        // A large prime, so the walk visits every place of a volume that is not a multiple of it.
        self.place = (self.place + 1_000_003) % self.places;
        self.place * self.len
    }
}
