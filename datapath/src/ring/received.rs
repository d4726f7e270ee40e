//! Buffers for what sockets receive. The kernel picks one when data is there (`IORING_REGISTER_PBUF_RING`), so a
//! connection that is idle holds no memory.
//!
//! The kernel takes them in the order in which it got them. If it had all of them, each would have left the processor's
//! cache by the time it is used again; so it has only as many as there are receives in flight, and gets the one that was
//! used last.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::rc::Rc;
use std::slice;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use crate::buf::arena::Mapping;

/// Bytes in one buffer.
pub(super) const BUFFER_LEN: u32 = 128 << 10;
/// How many there are: a power of two.
pub(super) const BUFFERS: u16 = 128;

/// The buffers.
#[derive(Clone)]
pub(super) struct Pool(Rc<Inner>);

struct Inner {
    memory: Mapping,
    /// The ring that tells the kernel which are free; used by io_uring only.
    entries: Mapping,
    tail: Cell<u16>,
    /// The kernel was shown the ring, and picks.
    picked: Cell<bool>,
    /// Receives in flight.
    waiting: Cell<usize>,
    /// Buffers that the kernel has for them.
    offered: Cell<usize>,
    /// Those that nobody has.
    free: RefCell<Vec<u16>>,
}

impl Pool {
    pub(super) fn new() -> io::Result<Self> {
        let memory = Mapping::new(BUFFER_LEN as usize * usize::from(BUFFERS))?;
        let entries = Mapping::new(size_of::<BufRingEntry>() * usize::from(BUFFERS))?;
        let free = RefCell::new((0..BUFFERS).collect());
        Ok(Self(Rc::new(Inner {
            memory,
            entries,
            tail: Cell::new(0),
            picked: Cell::new(false),
            waiting: Cell::new(0),
            offered: Cell::new(0),
            free,
        })))
    }

    /// From now on the kernel picks. The address of the ring is what is to be registered.
    pub(super) fn share(&self) -> u64 {
        self.0.picked.set(true);
        self.0.entries.base().as_ptr() as u64
    }

    /// A receive is about to be in flight: the kernel needs a buffer for it, if there is one.
    pub(super) fn expect(&self) {
        self.0.waiting.set(self.0.waiting.get() + 1);
        self.0.offer();
    }

    /// A receive has ended, and has taken a buffer or not.
    pub(super) fn ended(&self, taken: bool) {
        self.0.waiting.set(self.0.waiting.get() - 1);
        if taken && self.0.picked.get() {
            self.0.offered.set(self.0.offered.get() - 1);
        }
    }

    /// A free buffer, while the kernel does not pick.
    pub(super) fn take(&self) -> Option<Received> {
        let buffer = self.0.free.borrow_mut().pop()?;
        Some(Received { pool: Rc::clone(&self.0), buffer, len: BUFFER_LEN as usize })
    }

    /// The buffer that was picked and filled with `len` bytes.
    pub(super) fn received(&self, buffer: u16, len: i32) -> Received {
        let len = usize::try_from(len).unwrap_or(0).min(BUFFER_LEN as usize);
        Received { pool: Rc::clone(&self.0), buffer, len }
    }
}

impl Inner {
    fn at(&self, buffer: u16) -> NonNull<u8> {
        assert!(buffer < BUFFERS);
        // SAFETY: asserted to be inside the mapping.
        unsafe { self.memory.base().add(usize::from(buffer) * BUFFER_LEN as usize) }
    }

    fn give_back(&self, buffer: u16) {
        self.free.borrow_mut().push(buffer);
        self.offer();
    }

    /// Gives the kernel a buffer for each receive in flight, as far as there are any.
    fn offer(&self) {
        while self.picked.get() && self.offered.get() < self.waiting.get() {
            let Some(buffer) = self.free.borrow_mut().pop() else { return };
            self.offered.set(self.offered.get() + 1);
            self.hand_over(buffer);
        }
    }

    fn hand_over(&self, buffer: u16) {
        let tail = self.tail.get();
        let ring = self.entries.base().cast::<BufRingEntry>();
        // SAFETY: the index is masked to the mapping's entries; zeroed memory is a valid entry; the kernel reads an
        // entry only once the tail has passed it, so nobody else has a reference to this one.
        let entry = unsafe { ring.add(usize::from(tail & (BUFFERS - 1))).as_mut() };
        entry.set_addr(self.at(buffer).as_ptr() as u64);
        entry.set_len(BUFFER_LEN);
        entry.set_bid(buffer);
        let tail = tail.wrapping_add(1);
        self.tail.set(tail);
        // SAFETY: `ring` is the start of the ring's memory, where the tail lies in the first entry; it is aligned, and
        // the kernel only reads it. The release makes the entry visible before the tail.
        unsafe { AtomicU16::from_ptr(BufRingEntry::tail(ring.as_ptr()).cast_mut()).store(tail, Ordering::Release) };
    }
}

/// A buffer that holds what a socket received; the kernel may fill it again once this is dropped.
pub struct Received {
    pool: Rc<Inner>,
    buffer: u16,
    len: usize,
}

impl Received {
    pub(super) fn set_len(&mut self, len: usize) {
        self.len = len.min(BUFFER_LEN as usize);
    }

    pub(super) fn number(&self) -> u16 {
        self.buffer
    }

    /// Gives the buffer up without giving it back: its number was handed on.
    pub(super) fn forget(self) {
        // Nothing but a count of the pool's owners is skipped, and that is made up for here.
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: `this` is never used or dropped again, so the count is taken out once.
        drop(unsafe { std::ptr::read(&raw const this.pool) });
    }
}

impl Deref for Received {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: mapped memory is initialised, `len` is at most a buffer, and the kernel writes to the buffer only
        // after `Drop` has given it back.
        unsafe { slice::from_raw_parts(self.pool.at(self.buffer).as_ptr(), self.len) }
    }
}

impl DerefMut for Received {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`; `&mut self` excludes other references, since a buffer is in one `Received` only.
        unsafe { slice::from_raw_parts_mut(self.pool.at(self.buffer).as_ptr(), self.len) }
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.pool.give_back(self.buffer);
    }
}
