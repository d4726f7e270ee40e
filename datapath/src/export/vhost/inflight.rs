//! Which requests are in flight, noted in memory that the front end keeps: after a crash of this process the next one
//! knows which requests to do again (vhost-user, "Inflight I/O tracking", split virtqueues).
//!
//! ```text
//! queue region: | features u64 | version u16 | entries u16 | last head u16 | used index u16 | state × entries |
//! state:        | in flight u8 | padding 5   | next u16    | counter u64 |
//! ```
//! All in the machine's own order; each queue's region starts at a multiple of 64 bytes. One request is given back at a
//! time, so a batch is one state.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::MemfdFlags;
use vm_memory::mmap::MmapRegion;
use vm_memory::volatile_memory::Error;
use vm_memory::{Bytes, VolatileMemory};

use super::device::{MAX_QUEUE_SIZE, QUEUES};
use super::memory;

const VERSION: u16 = 1;
const HEADER_LEN: usize = 16;
const STATE_LEN: usize = 16;
const ALIGN: usize = 64;

/// The regions of all queues.
pub(super) struct Inflight {
    memory: Arc<MmapRegion>,
    pub(super) queues: u16,
    pub(super) entries: u16,
}

impl Inflight {
    /// New memory for that many queues of that many entries, and the file that it is.
    pub(super) fn create(queues: u16, entries: u16) -> io::Result<(Self, OwnedFd)> {
        let len = total(queues, entries)?;
        let file = rustix::fs::memfd_create("sear-inflight", MemfdFlags::CLOEXEC)?;
        rustix::fs::ftruncate(&file, len as u64)?;
        Ok((Self::map(file.try_clone()?, 0, len as u64, queues, entries)?, file))
    }

    /// Maps what the front end has kept.
    pub(super) fn map(file: OwnedFd, offset: u64, len: u64, queues: u16, entries: u16) -> io::Result<Self> {
        let needed = total(queues, entries)?;
        if len < needed as u64 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the memory for requests in flight is too short"));
        }
        Ok(Self { memory: Arc::new(memory::map(file, offset, needed)?), queues, entries })
    }

    /// Bytes that are shared.
    pub(super) fn len(&self) -> usize {
        self.memory.size()
    }

    /// The notes of a queue with that many entries.
    pub(super) fn queue(&self, index: u16, entries: u16) -> Option<Notes> {
        let at = usize::from(index) * queue_len(self.entries);
        (index < self.queues && entries <= self.entries).then(|| Notes {
            memory: Arc::clone(&self.memory),
            at,
            entries,
            counter: 0,
        })
    }
}

fn queue_len(entries: u16) -> usize {
    (HEADER_LEN + STATE_LEN * usize::from(entries)).next_multiple_of(ALIGN)
}

fn total(queues: u16, entries: u16) -> io::Result<usize> {
    if queues == 0 || queues > QUEUES || entries == 0 || entries > MAX_QUEUE_SIZE {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there are not so many queues, or not so long ones"));
    }
    Ok(usize::from(queues) * queue_len(entries))
}

/// The notes of one queue. They never decide what memory is touched: a note that a front end made up leads at most to
/// another request of its guest's being done.
pub(super) struct Notes {
    memory: Arc<MmapRegion>,
    at: usize,
    entries: u16,
    counter: u64,
}

impl Notes {
    /// What the process before has left: heads of requests to do again, in their order. `used`: how many requests the
    /// used ring says were done.
    pub(super) fn recover(&mut self, used: u16) -> Result<Vec<u16>, Error> {
        self.put(8, VERSION)?;
        self.put(10, self.entries)?;
        // It died between the used ring's index and the note that the request is done.
        let last: u16 = self.get(12)?;
        if self.get::<u16>(14)? != used && last < self.entries {
            self.put(state(last), 0_u8)?;
        }
        self.put(14, used)?;
        let mut left = Vec::new();
        for head in 0..self.entries {
            if self.get::<u8>(state(head))? != 0 {
                left.push((self.get::<u64>(state(head) + 8)?, head));
            }
        }
        left.sort_unstable();
        self.counter = left.last().map_or(0, |(counter, _)| counter.wrapping_add(1));
        Ok(left.into_iter().map(|(_, head)| head).collect())
    }

    /// A request was taken from the available ring.
    pub(super) fn begin(&mut self, head: u16) -> Result<(), Error> {
        self.put(state(head) + 8, self.counter)?;
        self.counter = self.counter.wrapping_add(1);
        self.put(state(head), 1_u8)
    }

    /// It is about to be put on the used ring.
    pub(super) fn ending(&mut self, head: u16) -> Result<(), Error> {
        let last: u16 = self.get(12)?;
        self.put(state(head) + 6, last)?;
        self.put(12, head)
    }

    /// It is there; the ring's index is now `used`.
    pub(super) fn ended(&mut self, head: u16, used: u16) -> Result<(), Error> {
        self.put(state(head), 0_u8)?;
        self.put(14, used)
    }

    fn get<T: vm_memory::AtomicAccess>(&self, offset: usize) -> Result<T, Error> {
        self.memory.as_volatile_slice().load(self.at + offset, Ordering::SeqCst)
    }

    fn put<T: vm_memory::AtomicAccess>(&self, offset: usize, value: T) -> Result<(), Error> {
        self.memory.as_volatile_slice().store(value, self.at + offset, Ordering::SeqCst)
    }
}

/// Where a head's state lies in the region of its queue.
fn state(head: u16) -> usize {
    HEADER_LEN + STATE_LEN * usize::from(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_flight_is_found_again_in_its_order() {
        let (first, file) = Inflight::create(2, 8).unwrap();
        let len = first.len() as u64;
        let mut notes = first.queue(1, 8).unwrap();
        assert!(notes.recover(0).unwrap().is_empty());
        for head in [5, 2, 7, 0] {
            notes.begin(head).unwrap();
        }
        notes.ending(2).unwrap();
        notes.ended(2, 1).unwrap();
        notes.ending(0).unwrap();
        // The process dies here: after the used ring's index went to 2, before the note.
        drop((first, notes));
        let second = Inflight::map(file, 0, len, 2, 8).unwrap();
        assert_eq!(second.queue(1, 8).unwrap().recover(2).unwrap(), [5, 7]);
        assert!(second.queue(0, 8).unwrap().recover(0).unwrap().is_empty());
        assert!(second.queue(2, 8).is_none() && second.queue(0, 16).is_none());
    }

    #[test]
    fn memory_that_is_too_short_or_for_too_much_is_refused() {
        let (_, file) = Inflight::create(1, 8).unwrap();
        assert!(Inflight::map(file.try_clone().unwrap(), 0, 16, 1, 8).is_err());
        assert!(Inflight::map(file.try_clone().unwrap(), 0, 1 << 40, 64, 1024).is_err(), "beyond the end of the file");
        for (queues, entries) in [(0, 8), (65, 8), (1, 0), (1, 2048)] {
            assert!(Inflight::create(queues, entries).is_err());
        }
    }
}
