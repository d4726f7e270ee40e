//! A split virtqueue that is being served: heads of chains out, used elements in, notifications both ways.
//!
//! A driver that breaks the rules of the ring itself (more entries than it has, a head twice) has a queue that is broken:
//! nothing more is taken from it until the front end starts it anew. What is in flight ends as always.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use virtio_queue::{Queue, QueueOwnedT, QueueT};
use vm_memory::GuestAddress;

use super::chain::{BadChain, Chain};
use super::inflight::Notes;
use super::memory::Memory;

/// What it takes to serve a virtqueue.
pub(super) struct Setup {
    /// Its place, checked to be in guest memory, and its indices.
    pub(super) queue: Queue,
    pub(super) memory: Arc<Memory>,
    /// The guest tells of new requests through this.
    pub(super) kick: OwnedFd,
    /// We tell of requests that are done through this.
    pub(super) call: Option<OwnedFd>,
    /// Requests that an earlier process has left.
    pub(super) again: Vec<u16>,
    pub(super) notes: Option<Notes>,
    /// The driver knows no flush: what is written must be on the medium.
    pub(super) write_through: bool,
}

/// See the module.
pub(super) struct Virtqueue {
    pub(super) memory: Arc<Memory>,
    queue: Queue,
    call: Option<OwnedFd>,
    again: VecDeque<u16>,
    notes: Option<Notes>,
    /// By head: whether a request is in flight.
    busy: Box<[bool]>,
    /// There are used elements that the driver was not told of.
    news: bool,
    broken: bool,
}

impl Virtqueue {
    pub(super) fn new(setup: Setup) -> (Self, OwnedFd) {
        let Setup { queue, memory, kick, call, again, notes, .. } = setup;
        let busy = vec![false; queue.size().into()].into_boxed_slice();
        // The driver is told at once: an earlier process may have died before it could.
        let queue = Self { memory, queue, call, again: again.into(), notes, busy, news: true, broken: false };
        (queue, kick)
    }

    /// Entries.
    pub(super) fn size(&self) -> usize {
        self.busy.len()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether there are requests that an earlier process has left.
    pub(super) fn has_left_overs(&self) -> bool {
        !self.again.is_empty()
    }

    /// Where in the available ring to go on.
    pub(super) fn position(&self) -> u16 {
        self.queue.next_avail()
    }

    /// From now on.
    pub(super) fn set_call(&mut self, call: Option<OwnedFd>) {
        self.call = call;
        self.news = true;
    }

    /// The head of the next request: one that was left over, or one from the ring if `fresh` ones are wanted.
    pub(super) fn next(&mut self, fresh: bool) -> Option<u16> {
        if self.broken {
            return None;
        }
        let (head, is_fresh) = match self.again.pop_front() {
            Some(head) => (head, false),
            None if fresh => (self.pop()?, true),
            None => return None,
        };
        match self.busy.get_mut(usize::from(head)) {
            Some(busy) if !*busy => *busy = true,
            Some(_) => self.give_up("a request was made available twice"),
            None => self.give_up("a request lies outside of the descriptor table"),
        }
        if is_fresh && self.notes.as_mut().is_some_and(|notes| notes.begin(head).is_err()) {
            self.give_up("the memory for requests in flight is gone");
        }
        (!self.broken).then_some(head)
    }

    fn pop(&mut self) -> Option<u16> {
        let popped = self.queue.iter(&*self.memory).map(|mut heads| heads.next().map(|chain| chain.head_index()));
        match popped {
            Ok(head) => return head,
            Err(error) => self.give_up(&format!("its available ring is not one: {error}")),
        }
        None
    }

    /// Reads the chain of a head.
    pub(super) fn chain(&self, head: u16, chain: &mut Chain) -> Result<(), BadChain> {
        chain.read(&self.memory, GuestAddress(self.queue.desc_table()), self.queue.size(), head)
    }

    /// A request is done; `written` bytes of its memory were written.
    pub(super) fn done(&mut self, head: u16, written: u32) {
        if let Some(busy) = self.busy.get_mut(usize::from(head)) {
            *busy = false;
        }
        if let Some(notes) = &mut self.notes {
            // Memory that was mapped does not go away; if it does, notes are no use any more.
            let _ = notes.ending(head);
        }
        if let Err(error) = self.queue.add_used(&*self.memory, head, written) {
            return self.give_up(&format!("its used ring is not one: {error}"));
        }
        if let Some(notes) = &mut self.notes {
            let _ = notes.ended(head, self.queue.next_used());
        }
        self.news = true;
    }

    /// Asks the driver not to tell of new requests: we look ourselves.
    pub(super) fn be_quiet(&mut self) {
        let disabled = self.queue.disable_notification(&*self.memory);
        if let Err(error) = disabled {
            self.give_up(&format!("its used ring is not one: {error}"));
        }
    }

    /// Asks the driver to tell of new requests. Whether some have come meanwhile.
    pub(super) fn listen(&mut self) -> bool {
        match self.queue.enable_notification(&*self.memory) {
            Ok(more) => more && !self.broken,
            Err(error) => {
                self.give_up(&format!("its used ring is not one: {error}"));
                false
            }
        }
    }

    /// Tells the driver of what is done, if it wants to know.
    pub(super) fn notify(&mut self) {
        if !std::mem::take(&mut self.news) {
            return;
        }
        if let (Ok(true), Some(call)) = (self.queue.needs_notification(&*self.memory), &self.call)
            && let Err(error) = rustix::io::write(call, &1_u64.to_ne_bytes())
        {
            tracing::debug!(%error, "a guest could not be notified");
        }
    }

    /// The queue is broken.
    pub(super) fn give_up(&mut self, why: &str) {
        if !self.broken {
            tracing::warn!(why, "a guest broke its virtqueue; it is served no more until it is started anew");
        }
        self.broken = true;
    }
}
