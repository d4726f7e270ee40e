//! One operation at a time through a worker: a queue on a ring, as if its caller could wait.

use std::io;
use std::sync::{Arc, mpsc};

use datapath::buf::Buf;
use datapath::disk::{Command, IoError};
use datapath::ring::{Held, Kind};
use datapath::volume::{Finished, Job, Slow, SlowLane, Volume};
use datapath::worker::{Context, Inbox, Port, Worker};

/// A worker of this thread.
pub(crate) struct Line(Worker);

impl Line {
    pub(crate) fn new(volume: &Arc<Volume>, kind: Kind) -> Self {
        let (inbox, lane) = (Arc::new(Inbox::new().unwrap()), SlowLane::start().unwrap());
        Self(Worker::new(kind, &[Arc::clone(volume)], inbox, &lane).unwrap())
    }

    /// Runs an operation to its end; a write's payload is ones.
    pub(crate) fn run(&mut self, command: Command, offset: u64, len: u64) -> Result<(), IoError> {
        let (tell, told) = mpsc::channel();
        self.0.adopt(Box::new(Once { command, offset, len, tell, is_over: false }));
        loop {
            self.0.turn(true).unwrap();
            if let Ok(result) = told.try_recv() {
                return result;
            }
        }
    }
}

/// A port that does one thing.
struct Once {
    command: Command,
    offset: u64,
    len: u64,
    tell: mpsc::Sender<Result<(), IoError>>,
    is_over: bool,
}

impl Port for Once {
    fn begin(&mut self, cx: &mut Context<'_>) {
        let Self { command, offset, len, .. } = *self;
        let chunk = |cx: &Context<'_>| {
            let mut chunk = cx.ring.arena().take(usize::try_from(len).unwrap()).unwrap();
            chunk.fill(1);
            chunk
        };
        let job = match command {
            Command::Flush => Job::Flush,
            Command::Read => Job::Read { offset, chunk: chunk(cx) },
            Command::Write { fua } => {
                let mut chunk = chunk(cx);
                let sector = usize::try_from(cx.disk(0).volume().geometry().sector_size.bytes()).unwrap();
                let whole = chunk.len() / sector * sector;
                cx.disk(0).seal(offset, &mut chunk[..whole]);
                Job::Write { offset, chunk, fua }
            }
            Command::WriteZeroes { fua } => Job::Slow(Slow::WriteZeroes { offset, len, fua }),
            Command::Trim { fua } => Job::Slow(Slow::Trim { offset, len, fua }),
            Command::Cache => Job::Slow(Slow::Write { offset, buf: Buf::zeroed(0), fua: false }),
        };
        cx.start(0, job, 0);
    }

    fn on_ring(&mut self, _: u32, _: io::Result<u32>, _: Held, _: &mut Context<'_>) {}

    fn on_disk(&mut self, _: u32, finished: Finished, _: &mut Context<'_>) {
        self.is_over = true;
        self.tell.send(finished.result).unwrap();
    }

    fn stop(&mut self, _: &mut Context<'_>) {}

    fn is_over(&self) -> bool {
        self.is_over
    }
}
