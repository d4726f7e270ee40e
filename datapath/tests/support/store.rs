//! Every place where ciphertext is kept.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use datapath::backend::Backend;
use datapath::backend::file::{Caching, FileBackend};
use datapath::backend::mem::MemBackend;
use keywrap::geometry::SectorSize;

/// A kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The process's memory.
    Memory,
    /// A file of tmpfs: plain calls, whatever the ring.
    Tmpfs,
    /// A file on a disk, by direct I/O.
    Direct,
    /// The same through the page cache.
    Buffered,
}

impl Place {
    pub(crate) const ALL: [Self; 4] = [Self::Memory, Self::Tmpfs, Self::Direct, Self::Buffered];
}

/// A backend with the means to change it behind its back.
pub(crate) struct Store {
    what: What,
}

enum What {
    Memory(Arc<RwLock<Vec<u8>>>),
    File(File),
}

impl Store {
    /// `len` zero bytes, and the backend on them.
    pub(crate) fn new(place: Place, len: u64, granule: SectorSize) -> (Self, Box<dyn Backend>) {
        if place == Place::Memory {
            let backend = MemBackend::new(len);
            return (Self { what: What::Memory(backend.bytes()) }, Box::new(backend));
        }
        let folder = if place == Place::Tmpfs { PathBuf::from("/dev/shm") } else { disk_folder() };
        let file = tempfile::tempfile_in(folder).unwrap();
        file.set_len(len).unwrap();
        let backend = FileBackend::new(file.try_clone().unwrap(), granule, place == Place::Direct).unwrap();
        let expected = match place {
            Place::Direct => Caching::Direct,
            Place::Buffered => Caching::Buffered,
            Place::Memory | Place::Tmpfs => Caching::Memory,
        };
        if backend.caching() != expected {
            println!("{place:?} with sectors of {}: this filesystem gives {:?}", granule.bytes(), backend.caching());
        }
        (Self { what: What::File(file) }, Box::new(backend))
    }

    /// Makes it longer or shorter.
    pub(crate) fn set_len(&self, len: u64) {
        match &self.what {
            What::Memory(bytes) => bytes.write().unwrap().resize(usize::try_from(len).unwrap(), 0),
            What::File(file) => file.set_len(len).unwrap(),
        }
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> u64 {
        match &self.what {
            What::Memory(bytes) => bytes.read().unwrap().len() as u64,
            What::File(file) => file.metadata().unwrap().len(),
        }
    }
}

/// A folder on a disk: where this was built.
pub(crate) fn disk_folder() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned()
}
