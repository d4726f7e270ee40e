//! Disks in memory for the tests of this module.

use std::sync::{Arc, Mutex};

use keywrap::geometry::{ByteLen, SectorSize};

use super::{Export, Exports};
use crate::disk::{Command, Disk, Done, Extent, Geometry, Io, IoError, Outcome};

/// A disk in memory that completes at once.
pub(super) struct MemDisk {
    pub(super) geometry: Geometry,
    pub(super) bytes: Mutex<Vec<u8>>,
    /// Commands that arrived, in order.
    pub(super) log: Mutex<Vec<Command>>,
}

impl MemDisk {
    pub(super) fn new(len: usize) -> Self {
        let geometry =
            Geometry { len: ByteLen(len as u64), sector_size: SectorSize::B4096, read_only: false, discards: true };
        Self { geometry, bytes: Mutex::new(vec![0; len]), log: Mutex::default() }
    }

    fn complete(&self, mut io: Io, done: Done) {
        let result = self.run(&mut io);
        done(Outcome { buf: io.buf, result });
    }

    fn run(&self, io: &mut Io) -> Result<(), IoError> {
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
        self.complete(io, done);
    }

    /// The first half is a hole.
    fn extents(&self, offset: u64, len: u64) -> Result<Vec<Extent>, IoError> {
        let half = self.geometry.len.0 / 2;
        let hole = half.saturating_sub(offset).min(len);
        let both = [Extent { len: hole, hole: true }, Extent { len: len - hole, hole: false }];
        Ok(both.into_iter().filter(|extent| extent.len > 0).collect())
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
