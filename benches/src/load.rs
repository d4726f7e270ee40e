//! A steady load: a fixed number of operations in flight until a number of them is done.

use std::sync::mpsc::{self, SyncSender};
use std::time::{Duration, Instant};

use datapath::buf::Buf;
use datapath::disk::{Command, Disk, Io, IoError, Outcome};

/// What a load consists of.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// [`Command::Read`] or [`Command::Write`].
    pub command: Command,
    /// Length of each operation in bytes.
    pub len: usize,
    /// Operations in flight.
    pub depth: usize,
}

/// Runs `count` operations of `load` against `disk`, and tells how long they took. Offsets walk over the disk in steps
/// that visit every place before they repeat, so that neighbours in time are not neighbours in space.
///
/// # Errors
/// The first operation's that failed.
pub fn run(disk: &dyn Disk, load: Load, count: u64) -> Result<Duration, IoError> {
    let (sender, done) = mpsc::sync_channel(load.depth);
    let mut offsets = Offsets::new(disk.geometry().len.0, load.len as u64);
    let depth = (load.depth as u64).min(count);
    let buffers: Vec<Buf> = (0..depth).map(|_| Buf::zeroed(load.len)).collect();
    let started = Instant::now();
    for buf in buffers {
        submit(disk, load, offsets.advance(), buf, &sender);
    }
    for finished in 0..count {
        let Ok(Outcome { buf, result }) = done.recv() else { break };
        result?;
        if finished + depth < count {
            submit(disk, load, offsets.advance(), buf, &sender);
        }
    }
    Ok(started.elapsed())
}

fn submit(disk: &dyn Disk, load: Load, offset: u64, buf: Buf, sender: &SyncSender<Outcome>) {
    let sender = sender.clone();
    let io = Io { command: load.command, offset, len: load.len as u64, buf };
    // A failed send means that the load was given up after an error; the outcome is of no use then.
    disk.submit(io, Box::new(move |outcome| drop(sender.send(outcome))));
}

/// Places on a disk in a scattered order.
pub struct Offsets {
    places: u64,
    len: u64,
    place: u64,
}

impl Offsets {
    /// Places of `len` bytes on a disk of `disk` bytes; the disk holds at least one.
    #[must_use]
    pub fn new(disk: u64, len: u64) -> Self {
        Self { places: (disk / len).max(1), len, place: 0 }
    }

    /// The next place in bytes.
    pub fn advance(&mut self) -> u64 {
        // A large prime, so the walk visits every place of a disk that is not a multiple of it.
        self.place = (self.place + 1_000_003) % self.places;
        self.place * self.len
    }
}
