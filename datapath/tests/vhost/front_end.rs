//! A virtual machine: rust-vmm's front end, a guest's memory, and its queues.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::MemfdFlags;
use vhost::vhost_user::message::{VhostUserConfigFlags, VhostUserHeaderFlag, VhostUserProtocolFeatures};
use vhost::vhost_user::{Frontend, VhostUserFrontend};
use vhost::{VhostBackend, VhostUserMemoryRegionInfo, VringConfigData};
use vm_memory::mmap::MmapRegion;
use vm_memory::{Bytes, FileOffset, GuestAddress, GuestMemoryMmap, GuestRegionMmap};

use super::driver::{Driver, QUEUE_LEN, SIZE, SLOTS};

/// What a guest has.
const MEMORY: usize = 64 << 20;
/// Headers and status bytes, for each queue and slot.
const HEADERS: u64 = 0x40_0000;
/// Data, for each queue and slot.
const DATA: u64 = 0x80_0000;
/// What each slot has for its data.
pub(crate) const SLOT_LEN: u64 = 0xc_0000;

pub(crate) const QUEUES: u16 = 2;

pub(crate) const READ: u32 = 0;
pub(crate) const WRITE: u32 = 1;
pub(crate) const FLUSH: u32 = 4;
pub(crate) const GET_ID: u32 = 8;
pub(crate) const DISCARD: u32 = 11;
pub(crate) const WRITE_ZEROES: u32 = 13;

pub(crate) const OK: u8 = 0;
pub(crate) const FAILED: u8 = 1;
pub(crate) const UNSUPPORTED: u8 = 2;

pub(crate) const EVENT_IDX: u64 = 1 << 29;
pub(crate) const INDIRECT: u64 = 1 << 28;
pub(crate) const F_FLUSH: u64 = 1 << 9;

/// See the module.
pub(crate) struct Guest {
    pub(crate) front_end: Frontend,
    pub(crate) memory: Arc<GuestMemoryMmap<()>>,
    file: File,
    pub(crate) queues: Vec<Driver>,
    pub(crate) features: u64,
}

impl Guest {
    /// A guest that has set its queues up, with all features but these.
    pub(crate) fn boot(socket: &Path, without: u64) -> Self {
        let mut guest = Self::new(socket, without);
        guest.negotiate();
        guest.share_memory();
        (0..guest.queues.len()).for_each(|index| guest.start(index, 0));
        guest
    }

    /// A guest whose front end is connected and has said nothing.
    pub(crate) fn new(socket: &Path, without: u64) -> Self {
        let file = rustix::fs::memfd_create("guest", MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, MEMORY as u64).unwrap();
        let file = File::from(file);
        let mapping = MmapRegion::from_file(FileOffset::new(file.try_clone().unwrap(), 0), MEMORY).unwrap();
        let region = GuestRegionMmap::new(mapping, GuestAddress(0)).unwrap();
        let memory = Arc::new(GuestMemoryMmap::from_regions(vec![region]).unwrap());
        let front_end = Frontend::connect(socket, u64::from(QUEUES)).unwrap();
        let features = front_end.get_features().unwrap() & !without;
        let (event_idx, indirect) = (features & EVENT_IDX != 0, features & INDIRECT != 0);
        let queue = |n| Driver::new(Arc::clone(&memory), QUEUE_LEN * (u64::from(n) + 1), event_idx, indirect);
        let queues = (0..QUEUES).map(queue).collect();
        Self { front_end, memory, file, queues, features }
    }

    /// The same guest, whose front end has lost its connection and makes another.
    pub(crate) fn reconnect(&mut self, socket: &Path) {
        self.front_end = Frontend::connect(socket, u64::from(QUEUES)).unwrap();
        assert_eq!(self.front_end.get_features().unwrap() & self.features, self.features);
        self.negotiate();
        self.share_memory();
    }

    fn negotiate(&mut self) {
        self.front_end.set_owner().unwrap();
        let wanted = self.front_end.get_protocol_features().unwrap();
        let needed = VhostUserProtocolFeatures::MQ
            | VhostUserProtocolFeatures::CONFIG
            | VhostUserProtocolFeatures::REPLY_ACK
            | VhostUserProtocolFeatures::BACKEND_REQ
            | VhostUserProtocolFeatures::INFLIGHT_SHMFD;
        assert_eq!(wanted, needed);
        self.front_end.set_protocol_features(wanted).unwrap();
        self.front_end.set_hdr_flags(VhostUserHeaderFlag::NEED_REPLY);
        self.front_end.set_features(self.features).unwrap();
        assert!(self.front_end.get_queue_num().unwrap() >= u64::from(QUEUES));
    }

    pub(crate) fn share_memory(&self) {
        let region = VhostUserMemoryRegionInfo {
            guest_phys_addr: 0,
            memory_size: MEMORY as u64,
            userspace_addr: user(0),
            mmap_offset: 0,
            mmap_handle: self.file.as_raw_fd(),
        };
        self.front_end.set_mem_table(&[region]).unwrap();
    }

    /// Starts a queue at a position of its available ring.
    pub(crate) fn start(&mut self, index: usize, position: u16) {
        let queue = &self.queues[index];
        let addresses = VringConfigData {
            queue_max_size: SIZE,
            queue_size: SIZE,
            flags: 0,
            desc_table_addr: user(queue.descriptors()),
            used_ring_addr: user(queue.used_ring()),
            avail_ring_addr: user(queue.available_ring()),
            log_addr: None,
        };
        self.front_end.set_vring_num(index, SIZE).unwrap();
        self.front_end.set_vring_base(index, position).unwrap();
        self.front_end.set_vring_addr(index, &addresses).unwrap();
        self.front_end.set_vring_call(index, &queue.call).unwrap();
        self.front_end.set_vring_kick(index, &queue.kick).unwrap();
        self.front_end.set_vring_enable(index, true).unwrap();
    }

    /// The index of a used ring: where QEMU goes on with a back end that cannot be asked.
    pub(crate) fn used(&self, index: usize) -> u16 {
        self.memory.read_obj(GuestAddress(self.queues[index].used_ring() + 2)).unwrap()
    }

    /// Stops a queue; its position.
    pub(crate) fn stop(&self, index: usize) -> u16 {
        u16::try_from(self.front_end.get_vring_base(index).unwrap()).unwrap()
    }

    /// Stops a queue and starts it as if the guest had started anew.
    pub(crate) fn reset(&mut self, index: usize) {
        self.stop(index);
        self.queues[index].reset();
        self.start(index, 0);
    }

    pub(crate) fn config(&mut self, offset: u32, len: u32) -> Vec<u8> {
        let zeroes = vec![0; usize::try_from(len).unwrap()];
        self.front_end.get_config(offset, len, VhostUserConfigFlags::empty(), &zeroes).unwrap().1
    }

    /// Makes the front end listen to the back end; what it says comes out there.
    pub(crate) fn listen(&mut self) -> std::os::unix::net::UnixStream {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        self.front_end.set_backend_request_fd(&OwnedFd::from(theirs)).unwrap();
        ours
    }

    /// Where a slot's data lies. The queues share the memory; a test uses each slot in one of them.
    pub(crate) fn data(slot: u16) -> u64 {
        DATA + u64::from(slot) * SLOT_LEN
    }

    fn header(queue: usize, slot: u16) -> u64 {
        HEADERS + (queue as u64 * u64::from(SLOTS) + u64::from(slot)) * 64
    }

    /// Makes a request available: header, data in three ranges, status. The device is not told.
    pub(crate) fn add(&mut self, queue: usize, slot: u16, kind: u32, sector: u64, len: u32) {
        let (header, data) = (Self::header(queue, slot), Self::data(slot));
        let words = [kind.to_le_bytes(), [0; 4]].concat();
        self.memory.write_slice(&[&words[..], &sector.to_le_bytes()].concat(), GuestAddress(header)).unwrap();
        self.memory.write_obj(0xff_u8, GuestAddress(header + 32)).unwrap();
        let is_write = matches!(kind, READ | GET_ID);
        let mut ranges = vec![(header, 16, false)];
        let first = len / 3;
        for (at, part) in [(0, first), (first, first), (2 * first, len - 2 * first)] {
            if part > 0 {
                ranges.push((data + u64::from(at), part, is_write));
            }
        }
        ranges.push((header + 32, 1, true));
        self.queues[queue].add(slot, &ranges);
    }

    /// The status of a request that is done.
    pub(crate) fn status(&self, queue: usize, slot: u16) -> u8 {
        self.memory.read_obj(GuestAddress(Self::header(queue, slot) + 32)).unwrap()
    }

    pub(crate) fn put_data(&self, slot: u16, bytes: &[u8]) {
        self.memory.write_slice(bytes, GuestAddress(Self::data(slot))).unwrap();
    }

    pub(crate) fn get_data(&self, slot: u16, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.memory.read_slice(&mut bytes, GuestAddress(Self::data(slot))).unwrap();
        bytes
    }

    /// One request from beginning to end.
    pub(crate) fn run(&mut self, queue: usize, kind: u32, sector: u64, len: u32) -> u8 {
        let earlier = self.queues[queue].position();
        self.add(queue, 0, kind, sector, len);
        self.queues[queue].kick(earlier);
        let (slot, written) = self.queues[queue].wait();
        assert_eq!(slot, 0);
        let status = self.status(queue, 0);
        if status == OK {
            let data = if kind == READ { len } else { 0 };
            assert!(kind == GET_ID || written == data + 1, "{written} bytes written");
        }
        status
    }

    pub(crate) fn write(&mut self, queue: usize, sector: u64, bytes: &[u8]) -> u8 {
        self.put_data(0, bytes);
        self.run(queue, WRITE, sector, u32::try_from(bytes.len()).unwrap())
    }

    pub(crate) fn read(&mut self, queue: usize, sector: u64, len: u32) -> Vec<u8> {
        assert_eq!(self.run(queue, READ, sector, len), OK);
        self.get_data(0, usize::try_from(len).unwrap())
    }
}

/// A guest's address as the front end knows it: its own addresses mean nothing to the back end.
fn user(address: u64) -> u64 {
    0x7f00_0000_0000 + address
}
