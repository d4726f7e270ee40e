//! The driver's side of a split virtqueue (virtio 1.3, section 2.7), in a guest's memory.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};
use vmm_sys_util::eventfd::{EFD_NONBLOCK, EventFd};

/// Entries of each queue.
pub(crate) const SIZE: u16 = 256;
/// Descriptors that belong to one request; also the most it can have.
pub(crate) const PART: u16 = 8;
/// Requests that can be in flight.
pub(crate) const SLOTS: u16 = SIZE / PART;

const DESCRIPTORS: u64 = 0;
const AVAILABLE: u64 = 0x2000;
const USED: u64 = 0x3000;
/// Indirect tables, one for each slot.
const TABLES: u64 = 0x5000;
/// What a queue takes in memory.
pub(crate) const QUEUE_LEN: u64 = 0x1_0000;

pub(crate) const NEXT: u16 = 1;
pub(crate) const WRITE: u16 = 2;
pub(crate) const INDIRECT: u16 = 4;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A descriptor: address, length, flags, next.
pub(crate) type Descriptor = (u64, u32, u16, u16);

/// A queue.
pub(crate) struct Driver {
    pub(crate) memory: Arc<GuestMemoryMmap<()>>,
    /// Where it lies in memory.
    pub(crate) at: u64,
    pub(crate) kick: EventFd,
    pub(crate) call: EventFd,
    pub(crate) event_idx: bool,
    pub(crate) indirect: bool,
    available: u16,
    used: u16,
}

impl Driver {
    pub(crate) fn new(memory: Arc<GuestMemoryMmap<()>>, at: u64, event_idx: bool, indirect: bool) -> Self {
        let (kick, call) = (EventFd::new(EFD_NONBLOCK).unwrap(), EventFd::new(EFD_NONBLOCK).unwrap());
        Self { memory, at, kick, call, event_idx, indirect, available: 0, used: 0 }
    }

    pub(crate) fn descriptors(&self) -> u64 {
        self.at + DESCRIPTORS
    }

    pub(crate) fn available_ring(&self) -> u64 {
        self.at + AVAILABLE
    }

    pub(crate) fn used_ring(&self) -> u64 {
        self.at + USED
    }

    /// Forgets everything, as after a reset.
    pub(crate) fn reset(&mut self) {
        self.memory.write_slice(&vec![0; usize::try_from(QUEUE_LEN).unwrap()], GuestAddress(self.at)).unwrap();
        (self.available, self.used) = (0, 0);
    }

    /// How many requests were made available so far.
    pub(crate) fn position(&self) -> u16 {
        self.available
    }

    /// Puts a request of these ranges (address, length, whether it is for writing) into a slot and makes it available.
    /// The device is not told yet.
    pub(crate) fn add(&mut self, slot: u16, ranges: &[(u64, u32, bool)]) {
        let head = slot * PART;
        let mut descriptors = Vec::new();
        let first = if self.indirect { 0 } else { head };
        for (n, (address, len, is_write)) in (0_u16..).zip(ranges) {
            let is_last = usize::from(n) + 1 == ranges.len();
            let flags = if *is_write { WRITE } else { 0 } | if is_last { 0 } else { NEXT };
            descriptors.push((*address, *len, flags, if is_last { 0 } else { first + n + 1 }));
        }
        if self.indirect {
            let table = self.at + TABLES + u64::from(slot) * u64::from(PART) * 16;
            let len = u32::try_from(descriptors.len() * 16).unwrap();
            self.put(table, &descriptors);
            descriptors = vec![(table, len, INDIRECT, 0)];
        }
        self.put(self.descriptors() + u64::from(head) * 16, &descriptors);
        self.offer(head);
    }

    /// Writes descriptors, whatever they say.
    pub(crate) fn put(&self, at: u64, descriptors: &[Descriptor]) {
        for (n, (address, len, flags, next)) in (0_u64..).zip(descriptors) {
            let mut bytes = address.to_le_bytes().to_vec();
            bytes.extend(len.to_le_bytes());
            bytes.extend(flags.to_le_bytes());
            bytes.extend(next.to_le_bytes());
            self.memory.write_slice(&bytes, GuestAddress(at + n * 16)).unwrap();
        }
    }

    /// Makes a head available, whatever it is.
    pub(crate) fn offer(&mut self, head: u16) {
        let entry = self.available_ring() + 4 + u64::from(self.available % SIZE) * 2;
        self.memory.write_obj(head.to_le(), GuestAddress(entry)).unwrap();
        self.available = self.available.wrapping_add(1);
        self.set_available(self.available);
    }

    pub(crate) fn set_available(&self, index: u16) {
        let address = GuestAddress(self.available_ring() + 2);
        self.memory.store(index.to_le(), address, Ordering::Release).unwrap();
    }

    /// Tells the device, if it wants to know.
    pub(crate) fn kick(&self, earlier: u16) {
        fence(Ordering::SeqCst);
        let is_wanted = if self.event_idx {
            let event: u16 = self.load(self.used_ring() + 4 + u64::from(SIZE) * 8);
            self.available.wrapping_sub(event).wrapping_sub(1) < self.available.wrapping_sub(earlier)
        } else {
            self.load(self.used_ring()) & 1 == 0
        };
        if is_wanted {
            self.kick.write(1).unwrap();
        }
    }

    /// The next request that is done: its slot, and the bytes written. Waits for the device's notification.
    pub(crate) fn wait(&mut self) -> (u16, u32) {
        self.poll(PATIENCE).expect("the device does not answer")
    }

    /// The same, if one comes in time.
    pub(crate) fn poll(&mut self, patience: Duration) -> Option<(u16, u32)> {
        while self.load(self.used_ring() + 2) == self.used {
            if self.event_idx {
                let event = GuestAddress(self.available_ring() + 4 + u64::from(SIZE) * 2);
                self.memory.store(self.used.to_le(), event, Ordering::SeqCst).unwrap();
                fence(Ordering::SeqCst);
                if self.load(self.used_ring() + 2) != self.used {
                    break;
                }
            }
            let end = Instant::now() + patience;
            while self.call.read().is_err() {
                if Instant::now() >= end {
                    return None;
                }
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        let element = self.used_ring() + 4 + u64::from(self.used % SIZE) * 8;
        let head: u32 = self.memory.read_obj(GuestAddress(element)).unwrap();
        let written: u32 = self.memory.read_obj(GuestAddress(element + 4)).unwrap();
        self.used = self.used.wrapping_add(1);
        Some((u16::try_from(head).unwrap() / PART, written))
    }

    fn load(&self, address: u64) -> u16 {
        self.memory.load(GuestAddress(address), Ordering::Acquire).unwrap()
    }
}
