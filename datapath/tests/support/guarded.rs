//! Memory that ends where a page without any access begins, and begins where one ends: a byte read or written outside of
//! it kills the process.
#![expect(unsafe_code, reason = "pages are mapped and protected by hand; docs/UNSAFE.md")]

use std::ffi::c_void;
use std::{ptr, slice};

use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

/// A multiple of every page size in use.
const PAGE: usize = 64 << 10;

/// Pages for one buffer, with a page without access on either side.
pub(crate) struct Guarded {
    base: *mut c_void,
    /// Usable bytes, a multiple of [`PAGE`].
    room: usize,
}

impl Guarded {
    /// Room for buffers of up to `capacity` bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        let room = capacity.next_multiple_of(PAGE);
        // SAFETY: the kernel chooses an address where nothing is mapped.
        let base = unsafe {
            mmap_anonymous(ptr::null_mut(), room + 2 * PAGE, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
        };
        let guarded = Self { base: base.expect("memory can be mapped"), room };
        for at in [0, PAGE + room] {
            // SAFETY: the page was mapped above and nothing refers into it.
            unsafe { mprotect(guarded.base.byte_add(at), PAGE, MprotectFlags::empty()) }.expect("a page can be closed");
        }
        guarded
    }

    /// The first `len` bytes: there is nothing before them.
    pub(crate) fn at_start(&mut self, len: usize) -> &mut [u8] {
        self.slice(0, len)
    }

    /// The last `len` bytes: there is nothing behind them.
    pub(crate) fn at_end(&mut self, len: usize) -> &mut [u8] {
        self.slice(self.room - len, len)
    }

    fn slice(&mut self, at: usize, len: usize) -> &mut [u8] {
        assert!(at + len <= self.room, "{len} bytes do not fit");
        // SAFETY: these bytes lie inside the room, which the kernel gave zeroed and which stays mapped as long as `self`,
        // and which is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.base.byte_add(PAGE + at).cast(), len) }
    }

    /// Reads the byte behind the last one, which must kill the process: whoever calls this wants to see that.
    pub(crate) fn touch_the_guard(&self) -> u8 {
        // SAFETY: the address is inside the mapping; that it cannot be read is the purpose.
        unsafe { self.base.byte_add(PAGE + self.room).cast::<u8>().read_volatile() }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length; every slice borrowed `self` and is gone.
        unsafe { munmap(self.base, self.room + 2 * PAGE) }.expect("what was mapped can be unmapped");
    }
}

/// Reads the byte behind an allocation, which a sanitizer must notice: whoever calls this wants to see that.
pub(crate) fn touch_behind(bytes: &[u8]) -> u8 {
    // SAFETY: none. It is called in a process of its own, to see it die.
    unsafe { bytes.as_ptr().add(bytes.len()).read_volatile() }
}
