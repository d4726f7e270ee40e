//! What the data path's tests share: keys, places for ciphertext, clients, and backends that watch, fail or forget.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its own part, and a test may panic")]

pub(crate) mod clients;
#[allow(unreachable_pub, reason = "the tests over all exports use it too")]
pub(crate) mod history;
pub(crate) mod line;
pub(crate) mod power;
pub(crate) mod script;
pub(crate) mod store;

use datapath::disk::{BlockingDisk, Command, IoError};
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

pub(crate) fn read(disk: &dyn BlockingDisk, offset: u64, len: usize) -> Result<Vec<u8>, IoError> {
    let mut bytes = vec![0; len];
    disk.read_at(&mut bytes, offset).map(|()| bytes)
}

/// An operation without a payload; a write's is ones.
pub(crate) fn run(disk: &dyn BlockingDisk, command: Command, offset: u64, len: u64) -> Result<(), IoError> {
    match command {
        Command::Read => read(disk, offset, usize::try_from(len).unwrap()).map(drop),
        Command::Write { fua } => disk.write_at(&vec![1; usize::try_from(len).unwrap()], offset, fua),
        Command::WriteZeroes { fua } => disk.write_zeroes(offset, len, fua),
        Command::Trim { fua } => disk.trim(offset, len, fua),
        Command::Flush => disk.flush(),
        Command::Cache => Ok(()),
    }
}
