//! A virtqueue as the front end describes it, message by message, until it can be served.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use virtio_bindings::bindings::virtio_blk::VIRTIO_BLK_F_FLUSH;
use virtio_bindings::bindings::virtio_ring::VIRTIO_RING_F_EVENT_IDX;
use virtio_queue::{Queue, QueueT};

use super::device::MAX_QUEUE_SIZE;
use super::inflight::Inflight;
use super::memory::Table;
use super::message::F_PROTOCOL_FEATURES;
use super::virtqueue::Setup;

/// The parts of a virtqueue, by addresses of the front end's own.
#[derive(Clone, Copy)]
pub(super) struct Addresses {
    pub(super) descriptors: u64,
    pub(super) used: u64,
    pub(super) available: u64,
}

/// See the module.
#[derive(Default)]
pub(super) struct Vring {
    pub(super) size: u16,
    pub(super) addresses: Option<Addresses>,
    /// Where in the available ring to go on.
    pub(super) position: u16,
    pub(super) kick: Option<OwnedFd>,
    pub(super) call: Option<OwnedFd>,
    pub(super) is_enabled: bool,
    pub(super) is_served: bool,
}

impl Vring {
    /// What it takes to serve it, if everything is known.
    pub(super) fn setup(
        &mut self,
        index: u16,
        table: &Table,
        inflight: Option<&Inflight>,
        features: u64,
    ) -> io::Result<Option<Setup>> {
        // Without protocol features there is no message that enables a queue.
        let is_enabled = self.is_enabled || features & 1 << F_PROTOCOL_FEATURES == 0;
        let (Some(addresses), Some(kick), true) = (self.addresses, &self.kick, is_enabled) else { return Ok(None) };
        let mut queue = self.place(addresses, table, features)?;
        let used = queue.used_idx(&*table.memory, Ordering::Acquire).map_err(io::Error::other)?.0;
        queue.set_next_used(used);
        queue.set_next_avail(self.position);
        let mut notes = inflight.and_then(|inflight| inflight.queue(index, self.size));
        let mut again = Vec::new();
        if let Some(notes) = &mut notes {
            again = notes.recover(used).map_err(io::Error::other)?;
            // Every request that was taken was given back or is noted. A front end that saw us die knows no better.
            let taken = u16::try_from(again.len()).unwrap_or(u16::MAX);
            queue.set_next_avail(used.wrapping_add(taken));
            if taken > 0 {
                tracing::info!(
                    queue = index,
                    requests = taken,
                    "requests that a server before had not ended are done again"
                );
            }
        }
        Ok(Some(Setup {
            queue,
            memory: Arc::clone(&table.memory),
            kick: kick.try_clone()?,
            call: self.call.as_ref().map(OwnedFd::try_clone).transpose()?,
            again,
            notes,
            write_through: features & 1 << VIRTIO_BLK_F_FLUSH == 0,
        }))
    }

    /// The queue at its place in guest memory.
    fn place(&self, addresses: Addresses, table: &Table, features: u64) -> io::Result<Queue> {
        let find = |address| table.find(address).ok_or_else(|| invalid("a virtqueue lies outside of guest memory"));
        let mut queue = Queue::new(MAX_QUEUE_SIZE).map_err(io::Error::other)?;
        queue.try_set_size(self.size).map_err(io::Error::other)?;
        queue.try_set_desc_table_address(find(addresses.descriptors)?).map_err(io::Error::other)?;
        queue.try_set_avail_ring_address(find(addresses.available)?).map_err(io::Error::other)?;
        queue.try_set_used_ring_address(find(addresses.used)?).map_err(io::Error::other)?;
        queue.set_event_idx(features & 1 << VIRTIO_RING_F_EVENT_IDX != 0);
        queue.set_ready(true);
        if queue.is_valid(&*table.memory) {
            Ok(queue)
        } else {
            Err(invalid("a virtqueue is not whole in guest memory"))
        }
    }
}

fn invalid(reason: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}
