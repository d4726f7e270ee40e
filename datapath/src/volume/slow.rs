//! What is too rare or too long for a ring's thread: done by blocking calls on a few threads of its own.

use std::io;
use std::sync::Arc;

use super::Volume;
use super::pool::Pool;
use super::queue::{Note, Notify};
use crate::buf::Buf;
use crate::disk::{BlockingDisk, IoError};
use crate::limits::BLOCKING_WORKERS;

/// An operation for the slow lane.
pub enum Slow {
    /// A write that does not consist of whole sectors.
    Write {
        /// First byte.
        offset: u64,
        /// The plaintext.
        buf: Buf,
        /// Force unit access.
        fua: bool,
    },
    /// Make a range read as zeroes.
    WriteZeroes {
        /// First byte.
        offset: u64,
        /// How many.
        len: u64,
        /// Force unit access.
        fua: bool,
    },
    /// A range's content is no longer needed.
    Trim {
        /// First byte.
        offset: u64,
        /// How many.
        len: u64,
        /// Force unit access.
        fua: bool,
    },
}

impl Slow {
    fn run(&self, volume: &Volume) -> Result<(), IoError> {
        match self {
            Self::Write { offset, buf, fua } => volume.write_at(buf.as_slice(), *offset, *fua),
            Self::WriteZeroes { offset, len, fua } => volume.write_zeroes(*offset, *len, *fua),
            Self::Trim { offset, len, fua } => volume.trim(*offset, *len, *fua),
        }
    }
}

/// The threads. Dropping it waits for what they do.
#[derive(Clone)]
pub struct SlowLane(Arc<Pool>);

impl SlowLane {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the operating system refuses one.
    pub fn start() -> io::Result<Self> {
        Ok(Self(Arc::new(Pool::start(BLOCKING_WORKERS)?)))
    }

    /// Lets each of the threads run `act` once, and waits for that.
    pub fn each_thread(&self, act: &Arc<dyn Fn() + Send + Sync>) {
        self.0.each_thread(act);
    }

    pub(super) fn run(&self, volume: Arc<Volume>, slow: Slow, task: u32, notify: Arc<dyn Notify>) {
        self.0.run(move || {
            let result = slow.run(&volume);
            drop(volume);
            notify.notify(Note::Slow(task, result));
        });
    }
}
