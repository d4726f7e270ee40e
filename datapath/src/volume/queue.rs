//! The fast way through a volume: one queue for each ring's thread that serves it.
//!
//! ```text
//! start ─▶ claim ─┬─▶ the ring reads or writes ─▶ on_ring ─▶ due ─▶ pop: decrypt
//!                 ├─▶ (no descriptor) ─────────────────────▶ due ─▶ pop: read or write on the spot, decrypt
//!                 └─▶ waits for others on the same sectors ─▶ on_note ─▶ one of these
//! ```
//! What takes this thread's time is done by [`Queue::pop`], a bounded amount in each turn: so the first pieces of a long
//! read are on their way to the client, who works on another processor, while the next are being decrypted.
//!
//! A write comes with its plaintext sealed already ([`Queue::seal_to`]), so that encrypting it can be what copies it out
//! of the buffer that it was received in.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::Volume;
use super::claims::{Claim, Granted};
use super::latency::Operation;
use super::slow::{Slow, SlowLane};
use super::stats::{Counter, QueueStats};
use crate::buf::arena::Chunk;
use crate::disk::{Command, IoError};
use crate::request::Request;
use crate::ring::{Completion, File, Ring};
use crate::table::Table;

/// An operation. Those with a chunk cover whole sectors, as long as the chunk.
pub enum Job {
    /// Fill the chunk with plaintext.
    Read {
        /// First byte.
        offset: u64,
        /// Where to.
        chunk: Chunk,
    },
    /// Store the chunk, which is sealed.
    Write {
        /// First byte.
        offset: u64,
        /// What.
        chunk: Chunk,
        /// Force unit access.
        fua: bool,
    },
    /// Bring what was written before to the medium.
    Flush,
    /// Anything else.
    Slow(Slow),
}

/// How an operation ended.
pub struct Finished {
    /// The caller's name for it.
    pub tag: u64,
    /// Success, or why not.
    pub result: Result<(), IoError>,
    /// The chunk that came with it.
    pub payload: Payload,
}

/// What an operation carried.
pub type Payload = Option<Chunk>;

/// What another thread has to say to a queue.
#[derive(Debug)]
pub enum Note {
    /// The task's claim was granted.
    Granted(u32),
    /// The task was done in the slow lane.
    Slow(u32, Result<(), IoError>),
}

/// Takes notes to the thread of a queue, which passes them to [`Queue::on_note`].
pub trait Notify: Send + Sync {
    /// Called from any thread.
    fn notify(&self, note: Note);
}

struct GrantedTo(Arc<dyn Notify>);

impl Granted for GrantedTo {
    fn granted(&self, tag: u32) {
        self.0.notify(Note::Granted(tag));
    }
}

/// One thread's way into a volume.
pub struct Queue {
    volume: Arc<Volume>,
    file: Option<File>,
    /// Added to a task's number, it is the tag of the task's operation on the ring.
    tags: u64,
    notify: Arc<dyn Notify>,
    granted: Arc<dyn Granted>,
    lane: SlowLane,
    tasks: Table<Task>,
    /// Tasks that this thread has to work on before they end.
    due: VecDeque<u32>,
    finished: VecDeque<Finished>,
    /// Bytes that may still be worked on in this turn.
    budget: usize,
    stats: Arc<QueueStats>,
    /// The backing's length was looked at since [`Queue::turn`].
    looked: bool,
    /// When the first operation of this turn began; the others began then too, near enough.
    begun: Option<Instant>,
    /// What has ended in this turn: its kind, when it began, whether it ended well.
    ended: Vec<(Operation, Instant, bool)>,
}

/// Bytes that are worked on in one turn: enough that the calls of a turn, and waking a client that has read all it was
/// sent, cost little beside them; few enough that a client does not wait long for the first.
const TURN: usize = 1 << 20;

/// Operations of one turn that there is room for from the start: as many as a ring takes.
const ENDED: usize = 256;

struct Task {
    tag: u64,
    kind: Kind,
    claim: Option<Claim>,
    chunk: Option<Chunk>,
    /// Bytes of the chunk that are read or written.
    done: usize,
    begin: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read { offset: u64 },
    Write { offset: u64, fua: bool },
    Flush,
    Slow,
}

impl Kind {
    /// What it is counted as; the blocking calls of the slow lane count themselves.
    const fn operation(self) -> Option<Operation> {
        match self {
            Self::Read { .. } => Some(Operation::Read),
            Self::Write { .. } => Some(Operation::Write),
            Self::Flush => Some(Operation::Flush),
            Self::Slow => None,
        }
    }
}

impl Queue {
    /// A queue of `volume` on `ring`, whose operations there have tags from `tags` up, below `tags + 2^32`.
    ///
    /// # Errors
    /// When the operating system has no descriptor left.
    pub fn new(
        volume: Arc<Volume>,
        ring: &mut Ring,
        tags: u64,
        notify: Arc<dyn Notify>,
        lane: SlowLane,
    ) -> io::Result<Self> {
        let file = volume.backend.descriptor()?.map(|fd| ring.file(fd));
        let stats = volume.stats.queue();
        let granted = Arc::new(GrantedTo(Arc::clone(&notify)));
        let tasks = Table::default();
        let (due, finished, budget) = (VecDeque::new(), VecDeque::new(), TURN);
        Ok(Self {
            volume,
            file,
            tags,
            notify,
            granted,
            lane,
            tasks,
            due,
            finished,
            budget,
            stats,
            looked: false,
            begun: None,
            ended: Vec::with_capacity(ENDED),
        })
    }

    /// What has started is about to go to the kernel. What starts from now on comes later, when the backing may have
    /// shrunk.
    pub fn turn(&mut self) {
        self.looked = false;
        self.begun = None;
        if !self.ended.is_empty() {
            // The answers go out now. One look at the clock is for all of them.
            let now = Instant::now();
            for (operation, begin, is_well) in self.ended.drain(..) {
                self.stats.took(operation, now.saturating_duration_since(begin), is_well);
            }
        }
        self.budget = TURN;
    }

    /// Whether there is something to pop, in this turn or the next.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !(self.finished.is_empty() && self.due.is_empty())
    }

    /// The volume.
    #[must_use]
    pub fn volume(&self) -> &Arc<Volume> {
        &self.volume
    }

    /// Turns the plaintext of whole sectors at byte `offset` into what [`Job::Write`] stores, elsewhere.
    ///
    /// # Panics
    /// When the two differ in length, or are not whole sectors.
    pub fn seal_to(&self, offset: u64, plain: &[u8], out: &mut [u8]) {
        self.volume.coding.seal_to(&self.volume.segment, offset, plain, out);
    }

    /// The same in place.
    ///
    /// # Panics
    /// When they are not whole sectors.
    pub fn seal(&self, offset: u64, data: &mut [u8]) {
        self.volume.coding.seal(&self.volume.segment, offset, data);
    }

    /// Counts a request that is not whole sectors.
    pub fn count_unaligned(&self, counter: Counter) {
        self.stats.add(counter, 1);
    }

    /// How many operations have started and were not popped.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.tasks.len() + self.finished.len()
    }

    /// Starts an operation; it comes out of [`Self::pop`] with its `tag`.
    pub fn start(&mut self, job: Job, tag: u64, ring: &mut Ring) {
        let (kind, chunk, slow) = match job {
            Job::Read { offset, chunk } => (Kind::Read { offset }, Some(chunk), None),
            Job::Write { offset, chunk, fua } => (Kind::Write { offset, fua }, Some(chunk), None),
            Job::Flush => (Kind::Flush, None, None),
            Job::Slow(slow) => (Kind::Slow, None, Some(slow)),
        };
        if slow.is_none() {
            self.stats.add(Counter::Started, 1);
        }
        let begin = *self.begun.get_or_insert_with(Instant::now);
        let claim = match self.check(kind, chunk.as_ref()) {
            Ok(claim) => claim,
            Err(error) => return self.finish(Task { tag, kind, claim: None, chunk, done: 0, begin }, Err(error)),
        };
        let number = self.tasks.insert(Task { tag, kind, claim, chunk, done: 0, begin });
        if let Some(slow) = slow {
            // The blocking call counts itself.
            return self.lane.run(Arc::clone(&self.volume), slow, number, Arc::clone(&self.notify));
        }
        match claim {
            Some(claim) if !self.volume.claims.claim(claim, number, &self.granted) => {
                self.stats.add(Counter::Conflicts, 1);
            }
            _ => self.go(number, ring),
        }
    }

    /// An operation on the ring has ended.
    pub fn on_ring(&mut self, completion: Completion, ring: &mut Ring) {
        let Completion { tag, result, held } = completion;
        let Ok(number) = u32::try_from(tag - self.tags) else { return };
        let Some(task) = self.tasks.get_mut(number) else { return };
        if task.kind == Kind::Flush {
            return self.end(number, result.map(drop).map_err(IoError::from));
        }
        task.chunk = held.chunk().ok();
        let len = task.chunk.as_ref().map_or(0, |chunk| chunk.len());
        match result {
            Ok(0) => self.end(number, Err(self.volume.explain(io::ErrorKind::UnexpectedEof.into()))),
            Ok(count) => {
                task.done += count as usize;
                match task.kind {
                    _ if task.done < len => self.go(number, ring),
                    Kind::Read { .. } => self.due.push_back(number),
                    _ => self.end(number, Ok(())),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.go(number, ring),
            Err(error) => self.end(number, Err(self.volume.explain(error))),
        }
    }

    /// Another thread has something to say.
    pub fn on_note(&mut self, note: Note, ring: &mut Ring) {
        match note {
            Note::Granted(number) => self.go(number, ring),
            Note::Slow(number, result) => {
                if let Some(task) = self.tasks.remove(number) {
                    self.finished.push_back(Finished { tag: task.tag, result, payload: task.chunk });
                }
            }
        }
    }

    /// The next operation that has ended; works on those that are due, as far as the turn allows.
    pub fn pop(&mut self) -> Option<Finished> {
        while self.finished.is_empty() && self.budget > 0 {
            let number = self.due.pop_front()?;
            self.work(number);
        }
        self.finished.pop_front()
    }

    /// What an operation claims, if it may run at all.
    fn check(&self, kind: Kind, chunk: Option<&Chunk>) -> Result<Option<Claim>, IoError> {
        let (command, offset) = match kind {
            Kind::Read { offset } => (Command::Read, offset),
            Kind::Write { offset, fua } => (Command::Write { fua }, offset),
            Kind::Flush => (Command::Flush, 0),
            Kind::Slow => return Ok(None),
        };
        let len = chunk.map_or(0, |chunk| chunk.len()) as u64;
        Request::parse(command, offset, len, &self.volume.geometry())?;
        if kind == Kind::Flush || matches!(kind, Kind::Write { .. }) {
            self.volume.check_latch()?;
        }
        Ok((len > 0).then(|| Claim::new(offset, len, matches!(kind, Kind::Write { .. }))))
    }

    /// Whether a change may go to the backing now: its claim may have had to wait while an earlier one failed.
    fn check_change(&mut self, kind: Kind) -> Result<(), IoError> {
        match kind {
            Kind::Read { .. } | Kind::Slow => return Ok(()),
            Kind::Write { .. } if self.looked => return self.volume.check_latch(),
            Kind::Write { .. } | Kind::Flush => self.volume.check_latch()?,
        }
        self.volume.check_backing()?;
        self.looked = true;
        Ok(())
    }

    /// Hands what is left of a task to the ring, if that can do it.
    fn go(&mut self, number: u32, ring: &mut Ring) {
        if self.file.is_none() {
            return self.due.push_back(number);
        }
        let Some(kind) = self.tasks.get(number).map(|task| task.kind) else { return };
        if let Err(refused) = self.check_change(kind) {
            return self.end(number, Err(refused));
        }
        let (Some(file), Some(task)) = (&self.file, self.tasks.get_mut(number)) else { return };
        let tag = self.tags + u64::from(number);
        let start = self.volume.segment.offset;
        match (task.kind, task.chunk.take()) {
            (Kind::Read { offset }, Some(chunk)) => {
                ring.read(file, chunk, task.done, start + offset + task.done as u64, tag);
            }
            (Kind::Write { offset, fua }, Some(chunk)) => {
                ring.write(file, chunk, task.done, start + offset + task.done as u64, fua, tag);
            }
            (_, _) => ring.sync(file, tag),
        }
    }

    /// Does what a task needs of this thread.
    fn work(&mut self, number: u32) {
        let Some(task) = self.tasks.get(number) else { return };
        self.budget = self.budget.saturating_sub(task.chunk.as_ref().map_or(0, |chunk| chunk.len()));
        // The ring has done its part.
        let result = if self.file.is_some() { Ok(()) } else { self.on_the_spot(number) };
        self.end(number, result);
    }

    /// Reads or writes a backing that has no descriptor.
    fn on_the_spot(&mut self, number: u32) -> Result<(), IoError> {
        let Some(kind) = self.tasks.get(number).map(|task| task.kind) else { return Ok(()) };
        self.check_change(kind)?;
        let (backend, start) = (&self.volume.backend, self.volume.segment.offset);
        let chunk = self.tasks.get_mut(number).and_then(|task| task.chunk.as_mut());
        let result = match (kind, chunk) {
            (Kind::Read { offset }, Some(chunk)) => backend.read(chunk, start + offset),
            (Kind::Write { offset, fua }, Some(chunk)) => backend.write(chunk, start + offset, fua),
            (_, _) => backend.flush(),
        };
        result.map_err(|error| self.volume.explain(error))
    }

    /// A task has ended: its claim is released, what was read is decrypted, and its owner will be told.
    fn end(&mut self, number: u32, result: Result<(), IoError>) {
        let Some(mut task) = self.tasks.remove(number) else { return };
        if let Some(claim) = task.claim {
            self.volume.claims.release(claim);
        }
        match task.kind {
            Kind::Read { offset } => {
                if let (Ok(()), Some(chunk)) = (&result, &mut task.chunk) {
                    self.volume.coding.open(&self.volume.segment, offset, chunk);
                }
            }
            Kind::Write { .. } | Kind::Flush => {
                if let Err(error) = &result
                    && !matches!(error, IoError::Latched)
                {
                    self.volume.latch(error);
                }
            }
            Kind::Slow => (),
        }
        self.finish(task, result);
    }

    fn finish(&mut self, task: Task, result: Result<(), IoError>) {
        let len = task.chunk.as_ref().map_or(0, |chunk| chunk.len()) as u64;
        match (&result, task.kind) {
            (Err(_), _) => self.stats.add(Counter::Errors, 1),
            (Ok(()), Kind::Read { .. }) => {
                self.stats.add(Counter::Reads, 1);
                self.stats.add(Counter::ReadBytes, len);
            }
            (Ok(()), Kind::Write { .. }) => {
                self.stats.add(Counter::Writes, 1);
                self.stats.add(Counter::WrittenBytes, len);
            }
            (Ok(()), Kind::Flush) => self.stats.add(Counter::Flushes, 1),
            (Ok(()), Kind::Slow) => (),
        }
        self.stats.add(Counter::Ended, 1);
        if let Some(operation) = task.kind.operation() {
            self.ended.push((operation, task.begin, result.is_ok()));
        }
        self.finished.push_back(Finished { tag: task.tag, result, payload: task.chunk });
    }
}
