//! Encrypted volumes over media that cost next to nothing, so that what is measured is Sear.

use std::error::Error;
use std::sync::Arc;

use datapath::backend::Backend;
use datapath::backend::file::FileBackend;
use datapath::backend::mem::MemBackend;
use datapath::volume::{DiskOptions, Volume};
use keywrap::geometry::{ByteLen, DataSegment, SectorSize};
use keywrap::keys::VolumeKey;
use tempfile::NamedTempFile;

/// Length of every benchmark's volume in bytes: larger than the processor's caches, smaller than any machine's memory.
pub const DISK_LEN: u64 = 256 << 20;

/// A volume whose ciphertext lies in the process's own memory.
///
/// # Errors
/// When the volume cannot be opened.
pub fn over_memory() -> Result<Arc<Volume>, Box<dyn Error>> {
    open(Box::new(MemBackend::new(DISK_LEN)))
}

/// A volume whose ciphertext lies in a file on tmpfs; the file goes when the second value is dropped.
///
/// # Errors
/// When there is no tmpfs at `/dev/shm`, or it has no room.
pub fn over_tmpfs() -> Result<(Arc<Volume>, NamedTempFile), Box<dyn Error>> {
    let file = NamedTempFile::new_in("/dev/shm")?;
    file.as_file().set_len(DISK_LEN)?;
    let backend = FileBackend::open(file.path(), false, SectorSize::B4096)?;
    Ok((open(Box::new(backend))?, file))
}

fn open(backend: Box<dyn Backend>) -> Result<Arc<Volume>, Box<dyn Error>> {
    let segment = DataSegment { offset: 0, len: ByteLen(DISK_LEN), sector_size: SectorSize::B4096, iv_tweak: 0 };
    Ok(Arc::new(Volume::open(backend, &VolumeKey::random()?, segment, DiskOptions::default())?))
}
