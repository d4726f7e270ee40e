//! Descriptors as a ring knows them: by a slot of its table where one is free, which saves the kernel a look-up and two
//! atomic operations each time.

use std::cell::RefCell;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::rc::Rc;

/// Slots of a ring's table. More files than this work, but by their descriptors.
pub(super) const SLOTS: u32 = 1024;

/// A file, socket or device. It is closed when the last clone is dropped, those that operations in flight hold included.
#[derive(Clone)]
pub struct File(Rc<Inner>);

struct Inner {
    fd: OwnedFd,
    slot: Option<u32>,
    table: Rc<RefCell<Table>>,
}

impl File {
    pub(super) fn slot(&self) -> Option<u32> {
        self.0.slot
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.fd.as_fd()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            let changes = &mut self.table.borrow_mut().changes;
            // A file that came and went before the kernel was told of it: its descriptor may be another's by then.
            changes.retain(|(changed, _)| *changed != slot);
            changes.push((slot, -1));
        }
    }
}

/// Hands out slots and collects what the kernel's table has yet to be told.
#[derive(Clone, Default)]
pub(super) struct Slots(Rc<RefCell<Table>>);

#[derive(Default)]
struct Table {
    /// There is a kernel table at all.
    exists: bool,
    free: Vec<u32>,
    /// Slot and descriptor, -1 for none, in order.
    changes: Vec<(u32, RawFd)>,
}

impl Slots {
    /// The kernel has a table of [`SLOTS`].
    pub(super) fn open(&self) {
        let mut table = self.0.borrow_mut();
        table.exists = true;
        table.free = (0..SLOTS).rev().collect();
    }

    pub(super) fn add(&self, fd: OwnedFd) -> File {
        let mut table = self.0.borrow_mut();
        let slot = if table.exists { table.free.pop() } else { None };
        if let Some(slot) = slot {
            table.changes.push((slot, fd.as_raw_fd()));
        }
        drop(table);
        File(Rc::new(Inner { fd, slot, table: Rc::clone(&self.0) }))
    }

    /// A file that takes no slot.
    pub(super) fn leave_out(&self, fd: OwnedFd) -> File {
        File(Rc::new(Inner { fd, slot: None, table: Rc::clone(&self.0) }))
    }

    /// Tells the kernel, through `update`, what has changed since the last time. Slots that were emptied are free again.
    pub(super) fn apply(&self, mut update: impl FnMut(u32, RawFd)) {
        let mut table = self.0.borrow_mut();
        if table.changes.is_empty() {
            return;
        }
        for (slot, fd) in std::mem::take(&mut table.changes) {
            update(slot, fd);
            if fd < 0 {
                table.free.push(slot);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_never_told_of_a_descriptor_that_is_closed() {
        let slots = Slots::default();
        slots.open();
        let open = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let (gone, kept) = (slots.add(open()), slots.add(open()));
        let (first, second, fd) = (gone.slot().unwrap(), kept.slot().unwrap(), kept.as_fd().as_raw_fd());
        drop(gone);
        let mut told = Vec::new();
        slots.apply(|slot, fd| told.push((slot, fd)));
        assert_eq!(told, [(second, fd), (first, -1)]);
        assert_eq!(slots.add(open()).slot(), Some(first), "the slot is free again");
    }
}
