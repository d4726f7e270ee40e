//! A disk in memory for the tests of this module.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use keywrap::geometry::{ByteLen, SectorSize};

use super::{Export, Exports};
use crate::disk::{Command, Disk, Done, Geometry, Io, IoError, Outcome};

/// A disk in memory that completes at once or, while its gate is shut, when the test releases.
pub(super) struct MemDisk {
    pub(super) geometry: Geometry,
    bytes: Mutex<Vec<u8>>,
    log: Mutex<Vec<Command>>,
    gate_shut: AtomicBool,
    /// Every operation fails.
    broken: AtomicBool,
    waiting: Mutex<Vec<(Io, Done)>>,
}

impl MemDisk {
    /// A disk of `len` zero bytes.
    pub(super) fn new(len: usize) -> Self {
        let geometry =
            Geometry { len: ByteLen(len as u64), sector_size: SectorSize::B4096, read_only: false, discards: true };
        Self {
            geometry,
            bytes: Mutex::new(vec![0; len]),
            log: Mutex::default(),
            gate_shut: AtomicBool::new(false),
            broken: AtomicBool::new(false),
            waiting: Mutex::default(),
        }
    }

    /// A disk whose operations wait.
    pub(super) fn gated(len: usize) -> Self {
        Self { gate_shut: AtomicBool::new(true), ..Self::new(len) }
    }

    /// Lets everything through, what waits first.
    pub(super) fn open_gate(&self) {
        self.gate_shut.store(false, Ordering::SeqCst);
        while self.waiting() > 0 {
            self.release(0);
        }
    }

    /// How many operations wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.lock().unwrap().len()
    }

    /// Returns once at least `count` operations wait.
    pub(super) fn wait_for(&self, count: usize) {
        while self.waiting() < count {
            std::thread::yield_now();
        }
    }

    /// Completes the operation that waits at `index`.
    pub(super) fn release(&self, index: usize) {
        let (io, done) = self.waiting.lock().unwrap().remove(index);
        self.complete(io, done);
    }

    /// Forgets the operation that waits at `index`, as a broken disk might.
    pub(super) fn forget(&self, index: usize) {
        drop(self.waiting.lock().unwrap().remove(index));
    }

    /// Makes every operation fail from now on.
    pub(super) fn break_down(&self) {
        self.broken.store(true, Ordering::SeqCst);
    }

    /// Commands that arrived, in order.
    pub(super) fn log(&self) -> Vec<Command> {
        self.log.lock().unwrap().clone()
    }

    /// What is stored.
    pub(super) fn content(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    fn complete(&self, mut io: Io, done: Done) {
        let result = self.run(&mut io);
        done(Outcome { buf: io.buf, result });
    }

    fn run(&self, io: &mut Io) -> Result<(), IoError> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(IoError::Latched);
        }
        let mut bytes = self.bytes.lock().unwrap();
        let start = usize::try_from(io.offset).unwrap();
        let range = start..start + usize::try_from(io.len).unwrap();
        let bytes = bytes.get_mut(range).ok_or(IoError::OutOfRange)?;
        match io.command {
            Command::Read => io.buf.as_mut_slice().copy_from_slice(bytes),
            Command::Write { .. } => bytes.copy_from_slice(io.buf.as_slice()),
            Command::WriteZeroes { .. } => bytes.fill(0),
            Command::Trim { .. } => bytes.fill(0xee),
            Command::Cache | Command::Flush => (),
        }
        Ok(())
    }
}

impl Disk for MemDisk {
    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn submit(&self, io: Io, done: Done) {
        self.log.lock().unwrap().push(io.command);
        if self.gate_shut.load(Ordering::SeqCst) {
            self.waiting.lock().unwrap().push((io, done));
        } else {
            self.complete(io, done);
        }
    }
}

/// An export of `disk` under a name.
pub(super) fn export(name: &str, disk: Arc<dyn Disk>) -> Export {
    Export { name: name.into(), description: format!("the disk {name}"), strict_alignment: false, disk }
}

/// Two exports in memory: `first` of 1 MiB and `second` of 2 MiB.
pub(super) fn two_exports() -> Exports {
    let exports = [("first", 1 << 20), ("second", 2 << 20)];
    Exports::new(exports.map(|(name, len)| export(name, Arc::new(MemDisk::new(len)))).into()).unwrap()
}
