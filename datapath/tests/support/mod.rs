//! What the data path's tests share: blocking calls on a disk, keys, and backends that watch or fail.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its own part, and a test may panic")]

pub(crate) mod script;

use std::sync::mpsc;

use datapath::buf::Buf;
use datapath::disk::{Command, Disk, Io, IoError, Outcome};
use keywrap::geometry::{ByteLen, DataSegment, SectorSize};
use keywrap::keys::VolumeKey;
use keywrap::secret::SecretBytes;

/// A volume key whose bytes count up from `seed`.
pub(crate) fn key(seed: u8, len: usize) -> VolumeKey {
    let bytes: Vec<u8> = (seed..=u8::MAX).cycle().take(len).collect();
    VolumeKey::new(SecretBytes::copy_from(&bytes)).unwrap()
}

/// A segment of `sectors` sectors from byte `offset`.
pub(crate) fn segment(offset: u64, sectors: u64, sector_size: SectorSize) -> DataSegment {
    let len = ByteLen(sectors * u64::from(sector_size.bytes()));
    DataSegment { offset, len, sector_size, iv_tweak: 0 }
}

/// A buffer that holds `bytes`.
pub(crate) fn buf(bytes: &[u8]) -> Buf {
    let mut buf = Buf::zeroed(bytes.len());
    buf.as_mut_slice().copy_from_slice(bytes);
    buf
}

/// Starts an operation; its outcome comes through the channel.
pub(crate) fn start(disk: &dyn Disk, command: Command, offset: u64, len: u64, buf: Buf) -> mpsc::Receiver<Outcome> {
    let (done, outcome) = mpsc::channel();
    let done = Box::new(move |outcome| drop(done.send(outcome)));
    disk.submit(Io { command, offset, len, buf }, done);
    outcome
}

pub(crate) fn read(disk: &dyn Disk, offset: u64, len: usize) -> Result<Vec<u8>, IoError> {
    let outcome = start(disk, Command::Read, offset, len as u64, Buf::zeroed(len)).recv().unwrap();
    outcome.result.map(|()| outcome.buf.as_slice().to_vec())
}

pub(crate) fn write(disk: &dyn Disk, offset: u64, bytes: &[u8], fua: bool) -> Result<(), IoError> {
    start(disk, Command::Write { fua }, offset, bytes.len() as u64, buf(bytes)).recv().unwrap().result
}

/// An operation without a payload.
pub(crate) fn run(disk: &dyn Disk, command: Command, offset: u64, len: u64) -> Result<(), IoError> {
    start(disk, command, offset, len, Buf::zeroed(0)).recv().unwrap().result
}
