//! The system's allocator, counting what watched threads ask of it.
#![expect(unsafe_code, reason = "an allocator cannot be written without; docs/UNSAFE.md")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static WATCHED_BY: Cell<Option<&'static Counter>> = const { Cell::new(None) };
}

/// The allocations of the threads that it watches. One for each test, since tests run side by side.
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// From now on, what this thread allocates is counted here.
    pub(crate) fn watch_this_thread(&'static self) {
        WATCHED_BY.set(Some(self));
    }

    /// Allocations of all watched threads while `work` runs.
    pub(crate) fn allocations(&self, work: impl FnOnce()) -> u64 {
        let before = self.0.load(Ordering::SeqCst);
        work();
        self.0.load(Ordering::SeqCst) - before
    }
}

fn count() {
    if let Ok(Some(counter)) = WATCHED_BY.try_with(Cell::get) {
        counter.0.fetch_add(1, Ordering::SeqCst);
    }
}

// SAFETY: every call goes to the system's allocator as it came; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's contract is the same, and `pointer` came from the system's allocator.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is the same, and `pointer` came from the system's allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}
