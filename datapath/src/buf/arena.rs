//! The memory that a worker's I/O goes through: mapped once, registered with its ring once, handed out in chunks.
//!
//! An arena has a fixed number of chunks in each size class ([`CLASSES`]), so it is also what bounds a worker's memory:
//! when no chunk is left, whoever wants one waits. Chunks are given back when they are dropped. Everything here belongs
//! to one thread.

#![expect(unsafe_code, reason = "memory that is mapped by hand, so that it can be registered with a ring")]

use std::cell::RefCell;
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::rc::Rc;
use std::slice;

use rustix::mm::{Advice, MapFlags, ProtFlags};

/// A size class: chunks of `len` bytes each, `count` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// Bytes in a chunk, a multiple of [`super::ALIGN`].
    pub len: usize,
    /// How many chunks of this length an arena has.
    pub count: usize,
    /// How many of them [`Arena::take_spare`] leaves.
    pub reserve: usize,
}

/// The classes of every arena, shortest first: for small requests, for middling ones, and for pieces of large ones. The
/// reserves together have a chunk for each of more clients than a server takes ([`Arena::take_spare`]).
pub const CLASSES: [Class; 3] = [
    Class { len: 8 << 10, count: 1024, reserve: 512 },
    Class { len: 64 << 10, count: 128, reserve: 32 },
    Class { len: MAX_CHUNK, count: 64, reserve: 16 },
];

/// The longest chunk there is: longer transfers are done in pieces. Small enough for a piece to stay in a core's cache
/// from the socket through the cipher to the file.
pub const MAX_CHUNK: usize = 256 << 10;

/// What an arena takes.
pub const ARENA_LEN: usize = {
    let mut total = 0;
    let mut class = 0;
    while class < CLASSES.len() {
        assert!(CLASSES[class].len.is_multiple_of(super::ALIGN));
        total += CLASSES[class].len * CLASSES[class].count;
        class += 1;
    }
    total
};

/// Page-aligned anonymous memory, unmapped when dropped.
pub(crate) struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

impl Mapping {
    /// `len` zero bytes.
    ///
    /// # Errors
    /// When the operating system has no more memory.
    pub(crate) fn new(len: usize) -> io::Result<Self> {
        // SAFETY: a new private mapping at an address of the kernel's choice affects no other memory.
        let base = unsafe {
            rustix::mm::mmap_anonymous(
                std::ptr::null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )?
        };
        let base: NonNull<u8> = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        // Hints: fewer page-table walks, and no plaintext in a core dump. Where refused, nothing is lost but those.
        for advice in [Advice::LinuxHugepage, Advice::LinuxDontDump] {
            // SAFETY: the range is the mapping just made, and neither advice changes its content.
            let _ = unsafe { rustix::mm::madvise(base.as_ptr().cast(), len, advice) };
        }
        Ok(Self { base, len })
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `new`, and whoever used it holds this value no more.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len) };
    }
}

/// A worker's memory.
#[derive(Clone)]
pub struct Arena(Rc<Inner>);

struct Inner {
    mapping: Mapping,
    /// For each class, the offsets of the chunks that nobody has. The one given back last is taken first: it is warm.
    free: RefCell<[Vec<u32>; CLASSES.len()]>,
}

impl Arena {
    /// Maps the memory. It is touched when it is used.
    ///
    /// # Errors
    /// When the operating system has no more address space.
    pub fn new() -> io::Result<Self> {
        let mut at = 0;
        let free = CLASSES.map(|class| {
            let mut offsets: Vec<u32> = Vec::with_capacity(class.count);
            for _ in 0..class.count {
                offsets.push(at);
                at += offset_of(class.len);
            }
            offsets.reverse();
            offsets
        });
        Ok(Self(Rc::new(Inner { mapping: Mapping::new(ARENA_LEN)?, free: RefCell::new(free) })))
    }

    /// A chunk of at least `len` bytes, its visible length exactly `len`; `None` when none is left, or none is as long.
    /// Its content is whatever it was.
    #[must_use]
    pub fn take(&self, len: usize) -> Option<Chunk> {
        self.take_leaving(len, |_| 0)
    }

    /// The same, but leaves each class its reserve: for whoever holds some already. Clients who hold on to much and do
    /// not go on leave this much to those who have nothing.
    #[must_use]
    pub fn take_spare(&self, len: usize) -> Option<Chunk> {
        self.take_leaving(len, |class| class.reserve)
    }

    fn take_leaving(&self, len: usize, leave: impl Fn(&Class) -> usize) -> Option<Chunk> {
        let mut free = self.0.free.borrow_mut();
        let fits = (0..CLASSES.len()).filter(|class| CLASSES[*class].len >= len);
        for class in fits {
            if free[class].len() > leave(&CLASSES[class])
                && let Some(offset) = free[class].pop()
            {
                return Some(Chunk { arena: Rc::clone(&self.0), offset, len, class });
            }
        }
        None
    }

    /// Whether every chunk was given back.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.free.borrow().iter().zip(CLASSES).all(|(free, class)| free.len() == class.count)
    }

    /// The mapped memory, to be registered.
    pub(crate) fn mapping(&self) -> &Mapping {
        &self.0.mapping
    }
}

/// A part of an arena, owned: a slice of bytes aligned to [`super::ALIGN`].
pub struct Chunk {
    arena: Rc<Inner>,
    offset: u32,
    len: usize,
    class: usize,
}

impl Chunk {
    /// Its first byte's address.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        // SAFETY: the offset was computed in `Arena::new` and lies inside the mapping, which the `Rc` keeps alive.
        unsafe { self.arena.mapping.base().as_ptr().add(self.offset as usize) }
    }

    /// Changes the visible length, up to the class's.
    pub fn set_len(&mut self, len: usize) {
        self.len = len.min(CLASSES[self.class].len);
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: mapped memory is initialised; `len` is at most the class's length; no other chunk covers these bytes,
        // since an offset is in the free list or in one chunk, never both.
        unsafe { slice::from_raw_parts(self.as_ptr(), self.len) }
    }
}

impl DerefMut for Chunk {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`, and `&mut self` excludes any other reference through this chunk.
        unsafe { slice::from_raw_parts_mut(self.as_ptr(), self.len) }
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.arena.free.borrow_mut()[self.class].push(self.offset);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "an arena is far below 4 GiB, asserted here")]
const fn offset_of(len: usize) -> u32 {
    const { assert!(ARENA_LEN < u32::MAX as usize) };
    len as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_aligned_distinct_and_come_back() {
        let arena = Arena::new().unwrap();
        let mut all: Vec<Chunk> = std::iter::from_fn(|| arena.take(1)).collect();
        assert_eq!(all.len(), CLASSES.iter().map(|class| class.count).sum::<usize>());
        for (n, chunk) in all.iter_mut().enumerate() {
            assert_eq!(chunk.as_ptr().align_offset(super::super::ALIGN), 0);
            chunk[0] = u8::try_from(n % 251).unwrap();
        }
        assert!(all.iter().enumerate().all(|(n, chunk)| usize::from(chunk[0]) == n % 251));
        assert!(!arena.is_whole());
        drop(all);
        assert!(arena.is_whole());
    }

    #[test]
    fn who_has_some_leaves_the_reserve_to_who_has_nothing() {
        let arena = Arena::new().unwrap();
        let spare: Vec<Chunk> = std::iter::from_fn(|| arena.take_spare(1)).collect();
        assert_eq!(spare.len(), CLASSES.iter().map(|class| class.count - class.reserve).sum::<usize>());
        let rest: Vec<Chunk> = std::iter::from_fn(|| arena.take(1)).collect();
        assert_eq!(rest.len(), CLASSES.iter().map(|class| class.reserve).sum::<usize>());
    }

    #[test]
    fn a_chunk_is_as_long_as_asked_and_none_is_longer_than_the_longest() {
        let arena = Arena::new().unwrap();
        for len in [0, 1, 8192, 8193, MAX_CHUNK] {
            assert_eq!(arena.take(len).unwrap().len(), len);
        }
        assert!(arena.take(MAX_CHUNK + 1).is_none());
    }
}
