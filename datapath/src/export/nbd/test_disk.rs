//! A disk in memory for the tests of this module: plain, watched, and stopped at will.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use keywrap::geometry::SectorSize;

use super::{Export, Exports};
use crate::backend::Backend;
use crate::backend::mem::MemBackend;
use crate::volume::{Counter, DiskOptions, Volume};

/// What a backend was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Read,
    Write,
    Discard,
    Flush,
}

/// A disk in memory whose operations wait while the test holds their sectors.
pub(super) struct MemDisk {
    pub(super) volume: Arc<Volume>,
    watched: Arc<Watched>,
    len: u64,
}

struct Watched {
    bytes: MemBackend,
    log: Mutex<Vec<Call>>,
    broken: AtomicBool,
}

impl MemDisk {
    /// A disk of `len` zero bytes.
    pub(super) fn new(len: usize) -> Self {
        Self::with(len, DiskOptions { discards: true, ..DiskOptions::default() })
    }

    pub(super) fn with(len: usize, options: DiskOptions) -> Self {
        let len = len as u64;
        let watched = Watched { bytes: MemBackend::new(len), log: Mutex::default(), broken: AtomicBool::new(false) };
        let watched = Arc::new(watched);
        let backend = Box::new(Shared(Arc::clone(&watched)));
        Self { volume: Arc::new(Volume::plain(backend, SectorSize::B4096, options).unwrap()), watched, len }
    }

    /// A disk whose operations wait.
    pub(super) fn gated(len: usize) -> Self {
        let disk = Self::new(len);
        disk.volume.hold(0, disk.len);
        disk
    }

    /// Lets everything through.
    pub(super) fn open_gate(&self) {
        self.volume.release(0, self.len);
    }

    /// Returns once at least `count` operations have had to wait.
    pub(super) fn wait_for(&self, count: u64) {
        while self.count(Counter::Conflicts) < count {
            std::thread::yield_now();
        }
    }

    pub(super) fn count(&self, counter: Counter) -> u64 {
        self.volume.statistics().iter().map(|queue| queue.get(counter)).sum()
    }

    /// Makes every call fail from now on.
    pub(super) fn break_down(&self) {
        self.watched.broken.store(true, Ordering::SeqCst);
    }

    /// Calls that arrived, in order.
    pub(super) fn log(&self) -> Vec<Call> {
        self.watched.log.lock().unwrap().clone()
    }

    /// Stores `content` from the start, behind everybody's back.
    pub(super) fn fill(&self, content: &[u8]) {
        self.watched.bytes.bytes().write().unwrap()[..content.len()].copy_from_slice(content);
    }

    /// What is stored.
    pub(super) fn content(&self) -> Vec<u8> {
        self.watched.bytes.bytes().read().unwrap().clone()
    }
}

impl Watched {
    fn call(&self, call: Call) -> io::Result<()> {
        self.log.lock().unwrap().push(call);
        if self.broken.load(Ordering::SeqCst) { Err(io::Error::other("broken down")) } else { Ok(()) }
    }
}

struct Shared(Arc<Watched>);

impl Backend for Shared {
    fn len(&self) -> io::Result<u64> {
        self.0.bytes.len()
    }

    fn read(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.0.call(Call::Read)?;
        self.0.bytes.read(buf, offset)
    }

    fn write(&self, buf: &[u8], offset: u64, sync: bool) -> io::Result<()> {
        self.0.call(Call::Write)?;
        self.0.bytes.write(buf, offset, sync)
    }

    fn discard(&self, offset: u64, len: u64) -> io::Result<()> {
        self.0.call(Call::Discard)?;
        self.0.bytes.discard(offset, len)
    }

    fn flush(&self) -> io::Result<()> {
        self.0.call(Call::Flush)
    }
}

/// An export of `volume` under a name.
pub(super) fn export(name: &str, volume: Arc<Volume>) -> Export {
    Export { name: name.into(), description: format!("the disk {name}"), volume }
}

/// Two exports in memory: `first` of 1 MiB and `second` of 2 MiB.
pub(super) fn two_exports() -> Exports {
    let exports = [("first", 1 << 20), ("second", 2 << 20)];
    Exports::new(exports.map(|(name, len)| export(name, MemDisk::new(len).volume)).into()).unwrap()
}
