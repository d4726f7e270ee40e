//! One thread of the data path: a ring, the queues of the volumes that it serves, and the ports through which clients
//! reach them.
//!
//! ```text
//!             ┌────────────────────── Worker ──────────────────────┐
//!  client ──▶ │ port ── Queue::start ──▶ queue ──▶ ┐               │
//!             │   ▲                        ▲       ├── ring ───────┼──▶ kernel
//!  client ◀── │   └── on_disk ◀── pop ─────┘  ◀────┘               │
//!             │ inbox ◀── notes and errands from other threads     │
//!             └────────────────────────────────────────────────────┘
//! ```
//! A [`Port`] is one client's way in: a connection, a queue of a device, a listener. Everything that happens to it
//! happens on its worker's thread, so it needs no locks. Work that arrives together is answered together: each turn of
//! the loop takes all completions there are, and gives the ring all that came of them with one call. Only what takes long
//! is spread over several turns ([`Queue::pop`]).

mod inbox;
mod pool;
mod short_turns;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::ring::{Completion, File, Held, Kind, Ring};
use crate::table::Table;
use crate::volume::{Finished, Job, Note, Queue, SlowLane, Volume};

pub use inbox::{Errand, Inbox};
pub use pool::Workers;

/// What a port is told of besides its own completions, about as often as this.
pub const TICK: Duration = Duration::from_millis(500);

/// One client's way to a volume. Every method is called on the worker's thread.
pub trait Port {
    /// The port now has its place and may start operations.
    fn begin(&mut self, cx: &mut Context<'_>);

    /// An operation on the ring, started with [`Context::tag`] of `op`, has ended.
    fn on_ring(&mut self, op: u32, result: io::Result<u32>, held: Held, cx: &mut Context<'_>);

    /// An operation on a disk, started with [`Context::start`] under the name `op`, has ended.
    fn on_disk(&mut self, op: u32, finished: Finished, cx: &mut Context<'_>);

    /// Everything that had happened was told: what was put off until now, to be done at once, is done here.
    fn settle(&mut self, _cx: &mut Context<'_>) {}

    /// Time has passed ([`TICK`]).
    fn on_tick(&mut self, _cx: &mut Context<'_>) {}

    /// The disk that the port uses, if it is to leave when that disk is taken away.
    fn disk(&self) -> Option<usize> {
        None
    }

    /// The port's disk is about to be taken away: nothing new is to be begun.
    fn leave(&mut self, _how: Leave, _cx: &mut Context<'_>) {}

    /// The server wants to end: nothing new is to be accepted, what is in flight is to be ended.
    fn stop(&mut self, cx: &mut Context<'_>);

    /// Whether it is over: nothing is in flight on the ring or on a disk, and nothing will be. Then it is dropped.
    fn is_over(&self) -> bool;
}

/// How a port leaves a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// What is in flight is answered first.
    InOrder,
    /// Nothing more is said.
    AtOnce,
}

/// What a port works with.
pub struct Context<'a> {
    /// The ring.
    pub ring: &'a mut Ring,
    disks: &'a mut [Option<Queue>],
    inbox: &'a Arc<Inbox>,
    port: u32,
    /// Ports that the port hands over to the worker.
    adopted: &'a mut Vec<Box<dyn Port>>,
    starved: &'a mut Vec<u32>,
}

impl Context<'_> {
    /// The tag under which an operation on the ring comes back to the port as `op`.
    #[must_use]
    pub fn tag(&self, op: u32) -> u64 {
        u64::from(self.port) << 32 | u64::from(op)
    }

    /// The queue of a disk.
    ///
    /// # Panics
    /// When there is no such disk.
    #[must_use]
    pub fn disk(&self, disk: usize) -> &Queue {
        self.disks[disk].as_ref().expect(PORTS_FIRST)
    }

    /// The disk of a volume, if this worker serves it now.
    #[must_use]
    pub fn find(&self, volume: &Arc<Volume>) -> Option<usize> {
        position(self.disks, volume)
    }

    /// Starts an operation on a disk; it comes back to the port as `op`.
    ///
    /// # Panics
    /// When there is no such disk.
    pub fn start(&mut self, disk: usize, job: Job, op: u32) {
        let tag = self.tag(op);
        self.disks[disk].as_mut().expect(PORTS_FIRST).start(job, tag, self.ring);
    }

    /// Gives the worker another port.
    pub fn adopt(&mut self, port: Box<dyn Port>) {
        self.adopted.push(port);
    }

    /// Lets the port settle again in the next turn: it lacked memory that others have.
    pub fn starve(&mut self) {
        if self.starved.last() != Some(&self.port) {
            self.starved.push(self.port);
        }
    }

    /// The worker's inbox, for other threads.
    #[must_use]
    pub fn inbox(&self) -> &Arc<Inbox> {
        self.inbox
    }
}

/// What holds as long as ports say which disk they use.
const PORTS_FIRST: &str = "a disk goes after its ports";

/// Tags of a port have its number in their upper half; these are other owners' numbers.
const WAKE: u32 = u32::MAX;
const TICKER: u32 = u32::MAX - 1;
const FIRST_QUEUE: u32 = u32::MAX - 1024;
/// Disks that a worker can serve.
pub const MAX_DISKS: usize = (TICKER - FIRST_QUEUE) as usize;

/// A worker. It belongs to the thread that made it.
pub struct Worker {
    ring: Ring,
    /// A place without a disk is used again.
    disks: Vec<Option<Queue>>,
    lane: SlowLane,
    inbox: Arc<Inbox>,
    wake: File,
    ports: Table<Box<dyn Port>>,
    /// Ports that something happened to in this turn, perhaps more than once.
    touched: Vec<u32>,
    adopted: Vec<Box<dyn Port>>,
    /// Ports that lacked memory in the last turn.
    starved: Vec<u32>,
    stopping: bool,
}

impl Worker {
    /// A worker for the `volumes`; a port knows them by their position. What other threads have for it comes through
    /// `inbox`.
    ///
    /// # Errors
    /// When the operating system refuses the ring or a descriptor, or there are more than [`MAX_DISKS`] volumes.
    pub fn new(kind: Kind, volumes: &[Arc<Volume>], inbox: Arc<Inbox>, lane: &SlowLane) -> io::Result<Self> {
        let mut ring = Ring::new(kind)?;
        let wake = ring.unlisted_file(inbox.descriptor()?);
        ring.readable(&wake, u64::from(WAKE) << 32);
        ring.timer(TICK, u64::from(TICKER) << 32);
        let mut worker = Self {
            ring,
            disks: Vec::new(),
            lane: lane.clone(),
            inbox,
            wake,
            ports: Table::default(),
            touched: Vec::new(),
            adopted: Vec::new(),
            starved: Vec::new(),
            stopping: false,
        };
        volumes.iter().try_for_each(|volume| worker.serve(volume))?;
        Ok(worker)
    }

    /// Serves one more volume.
    ///
    /// # Errors
    /// When the operating system has no descriptor left, or there are [`MAX_DISKS`] volumes already.
    pub fn serve(&mut self, volume: &Arc<Volume>) -> io::Result<()> {
        let disk = self.disks.iter().position(Option::is_none).unwrap_or(self.disks.len());
        let number = u32::try_from(disk).ok().filter(|_| disk < MAX_DISKS);
        let too_many = || io::Error::other(format!("one server can have at most {MAX_DISKS} volumes"));
        let tags = u64::from(FIRST_QUEUE + number.ok_or_else(too_many)?) << 32;
        let notify = inbox::for_disk(&self.inbox, disk);
        let queue = Queue::new(Arc::clone(volume), &mut self.ring, tags, notify, self.lane.clone())?;
        match self.disks.get_mut(disk) {
            Some(place) => *place = Some(queue),
            None => self.disks.push(Some(queue)),
        }
        Ok(())
    }

    /// Asks the ports that use a volume, and can, to leave it.
    pub fn leave(&mut self, volume: &Arc<Volume>, how: Leave) {
        let Some(disk) = position(&self.disks, volume) else { return };
        self.each_port(|port, cx| {
            if port.disk() == Some(disk) {
                port.leave(how, cx);
            }
        });
    }

    /// Serves a volume no longer, once no port uses it and nothing is in flight. Whether it does not.
    pub fn forget(&mut self, volume: &Arc<Volume>) -> bool {
        let Some(disk) = position(&self.disks, volume) else { return true };
        let used = self.ports.iter().any(|(_, port)| port.disk() == Some(disk));
        if used || self.disks[disk].as_ref().is_some_and(|queue| queue.in_flight() > 0) {
            return false;
        }
        self.disks[disk] = None;
        true
    }

    /// Gives the worker a port.
    pub fn adopt(&mut self, port: Box<dyn Port>) {
        let number = self.ports.insert(port);
        let stopping = self.stopping;
        self.touch(number, |port, cx| {
            port.begin(cx);
            if stopping {
                port.stop(cx);
            }
        });
    }

    /// Turns until an errand has asked to stop and every port is over.
    ///
    /// # Errors
    /// When the ring fails; what was in flight is lost.
    pub fn run(&mut self) -> io::Result<()> {
        while !(self.stopping && self.is_idle()) {
            self.turn(true)?;
        }
        Ok(())
    }

    /// One turn: waits, if `block`, until something happens; then does all that there is to do.
    ///
    /// # Errors
    /// When the ring fails; what was in flight is lost.
    pub fn turn(&mut self, block: bool) -> io::Result<()> {
        // Between turns a port may have been adopted, and what it started may have ended on the spot.
        let idle = self.touched.is_empty() && !self.disks.iter().flatten().any(Queue::is_ready);
        self.ring.wait(block && idle)?;
        self.touched.append(&mut self.starved);
        while let Some(completion) = self.ring.pop() {
            self.complete(completion);
        }
        self.pass_on();
        self.disks.iter_mut().flatten().for_each(Queue::turn);
        Ok(())
    }

    /// Whether no port is left.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.ports.len() == 0
    }

    /// Asks every port to end.
    pub fn stop(&mut self) {
        self.stopping = true;
        self.each_port(|port, cx| port.stop(cx));
    }

    fn complete(&mut self, completion: Completion) {
        #[expect(clippy::cast_possible_truncation, reason = "the halves of a tag")]
        let (owner, op) = ((completion.tag >> 32) as u32, completion.tag as u32);
        match owner {
            WAKE => self.read_inbox(),
            TICKER => {
                self.ring.timer(TICK, u64::from(TICKER) << 32);
                self.each_port(|port, cx| port.on_tick(cx));
            }
            FIRST_QUEUE.. => {
                let disk = (owner - FIRST_QUEUE) as usize;
                if let Some(queue) = self.disks.get_mut(disk).and_then(Option::as_mut) {
                    queue.on_ring(completion, &mut self.ring);
                }
            }
            port => self.touch(port, |port, cx| port.on_ring(op, completion.result, completion.held, cx)),
        }
    }

    /// Takes what has ended on the disks to the ports, lets them settle, and so on until nothing new comes of it.
    fn pass_on(&mut self) {
        loop {
            let mut any = false;
            for disk in 0..self.disks.len() {
                while let Some(finished) = self.disks[disk].as_mut().and_then(Queue::pop) {
                    any = true;
                    #[expect(clippy::cast_possible_truncation, reason = "the halves of a tag")]
                    let (port, op) = ((finished.tag >> 32) as u32, finished.tag as u32);
                    self.touch(port, |port, cx| port.on_disk(op, finished, cx));
                }
            }
            for port in std::mem::take(&mut self.adopted) {
                any = true;
                self.adopt(port);
            }
            if !any {
                if self.touched.is_empty() {
                    return;
                }
                self.settle();
            }
        }
    }

    fn settle(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for number in touched.drain(..) {
            self.with(number, |port, cx| port.settle(cx));
            if self.ports.get(number).is_some_and(|port| port.is_over()) {
                self.ports.remove(number);
            }
        }
        // Its memory is used again.
        self.touched = touched;
    }

    fn each_port(&mut self, mut act: impl FnMut(&mut dyn Port, &mut Context<'_>)) {
        for number in 0..self.ports.end() {
            self.touch(number, &mut act);
        }
    }

    /// Something happens to a port: it will be settled.
    fn touch(&mut self, number: u32, act: impl FnOnce(&mut dyn Port, &mut Context<'_>)) {
        if self.with(number, act) {
            self.touched.push(number);
        }
    }

    /// Lets a port act. Whether there is one.
    fn with(&mut self, number: u32, act: impl FnOnce(&mut dyn Port, &mut Context<'_>)) -> bool {
        let Some(port) = self.ports.get_mut(number) else { return false };
        let mut cx = Context {
            ring: &mut self.ring,
            disks: &mut self.disks,
            inbox: &self.inbox,
            port: number,
            adopted: &mut self.adopted,
            starved: &mut self.starved,
        };
        act(port.as_mut(), &mut cx);
        true
    }

    fn read_inbox(&mut self) {
        let errands = self.inbox.take();
        self.ring.readable(&self.wake, u64::from(WAKE) << 32);
        for errand in errands {
            match errand {
                Errand::Note(disk, note) => self.note(disk, note),
                Errand::Adopt(make) => self.adopt(make()),
                Errand::Do(work) => work(self),
                Errand::Stop => self.stop(),
            }
        }
    }

    fn note(&mut self, disk: usize, note: Note) {
        if let Some(queue) = self.disks.get_mut(disk).and_then(Option::as_mut) {
            queue.on_note(note, &mut self.ring);
        }
    }
}

/// Where a volume is among the disks.
fn position(disks: &[Option<Queue>], volume: &Arc<Volume>) -> Option<usize> {
    disks.iter().position(|disk| disk.as_ref().is_some_and(|disk| Arc::ptr_eq(disk.volume(), volume)))
}
