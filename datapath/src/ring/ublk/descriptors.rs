//! The requests of a queue as ublk describes them, in memory of the kernel that a server can read.

use std::io;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, ProtFlags};

/// Requests that the memory of a queue is laid out for, whatever its depth (`UBLK_MAX_QUEUE_DEPTH`).
const MAX_DEPTH: usize = 4096;

/// A request, `struct ublksrv_io_desc`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The operation in bits 0 to 7, flags above.
    pub operation: u32,
    /// How much, in units of 512 bytes.
    pub sectors: u32,
    /// Where, in units of 512 bytes.
    pub start: u64,
    /// Where the data lies, for servers that let the kernel copy it.
    pub address: u64,
}

/// The descriptors of one queue, one for each tag.
pub struct Descriptors {
    base: NonNull<Descriptor>,
    /// Bytes that are mapped.
    len: usize,
    depth: u16,
}

// SAFETY: the mapping belongs to the process, not to a thread; it is only read, and unmapped by whoever has the value.
unsafe impl Send for Descriptors {}

impl Descriptors {
    /// Maps those of a `queue` of the device, which is `depth` requests deep.
    ///
    /// # Errors
    /// The kernel's refusal: another process serves the device, or there is no such queue.
    pub fn map(device: BorrowedFd<'_>, queue: u16, depth: u16) -> io::Result<Self> {
        let page = rustix::param::page_size();
        let one = size_of::<Descriptor>();
        let len = (usize::from(depth) * one).next_multiple_of(page);
        let offset = usize::from(queue) * (MAX_DEPTH * one).next_multiple_of(page);
        let flags = MapFlags::SHARED | MapFlags::POPULATE;
        // SAFETY: a new mapping at an address of the kernel's choice affects no other memory.
        let base =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), len, ProtFlags::READ, flags, device, offset as u64)? };
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len, depth })
    }

    /// The request with that tag, as it is now. It is the kernel's last word once the command that waited for it has
    /// completed, until the request is answered.
    ///
    /// # Panics
    /// When the queue is not that deep.
    #[must_use]
    pub fn read(&self, tag: u16) -> Descriptor {
        assert!(tag < self.depth, "tag {tag} in a queue of {}", self.depth);
        // SAFETY: the mapping holds `depth` descriptors, aligned since it starts at a page; every bit pattern is one.
        // The kernel may write at any time, so each is read once, and as volatile.
        unsafe { self.base.add(tag.into()).read_volatile() }
    }
}

impl Drop for Descriptors {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `map`, and nothing refers to it: `read` copies.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn descriptors_are_found_by_queue_and_tag() {
        // A file that looks like the device's memory, two queues.
        let mut file = tempfile::tempfile().unwrap();
        let page = rustix::param::page_size();
        let mut bytes = vec![0; 2 * (MAX_DEPTH * size_of::<Descriptor>()).next_multiple_of(page)];
        let second = bytes.len() / 2 + 5 * size_of::<Descriptor>();
        for (at, value) in [(0, 0x0201_u64 | 9 << 32), (8, 77), (16, 88)] {
            bytes[second + at..second + at + 8].copy_from_slice(&value.to_le_bytes());
        }
        file.write_all(&bytes).unwrap();
        let descriptors = Descriptors::map(file.as_fd(), 1, 128).unwrap();
        let found = Descriptor { operation: 0x0201, sectors: 9, start: 77, address: 88 };
        if cfg!(target_endian = "little") {
            assert_eq!(descriptors.read(5), found);
        }
        assert_eq!(descriptors.read(127).start, 0);
        assert!(std::panic::catch_unwind(|| Descriptors::read(&descriptors, 128)).is_err());
    }
}
