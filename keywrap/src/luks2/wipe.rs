//! Overwriting of key material with random bytes, verified by reading back.

use std::io;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use crate::medium::Medium;

/// How much is written at once, in bytes.
const CHUNK: u64 = 1 << 20;

/// Overwrites the bytes of `range` with fresh random bytes, syncs, and reads them back. Returns whether all of
/// it was read from the device itself ([`Medium::read_back_at`]).
///
/// On flash memory, or where the medium is a file on a copy-on-write filesystem, an old copy may live on out of
/// reach: see `docs/format/erase.md`.
///
/// # Errors
/// The medium's own error; `InvalidData` when what is read back is not what was written; `Other` when the operating
/// system has no randomness to give.
pub fn overwrite(medium: &dyn Medium, range: Range<u64>) -> io::Result<bool> {
    let mut written = Sha256::new();
    each_chunk(&range, |chunk, offset| {
        getrandom::fill(chunk).map_err(io::Error::other)?;
        written.update(&*chunk);
        medium.write_durably_at(chunk, offset)
    })?;
    let (mut found, mut from_device) = (Sha256::new(), true);
    each_chunk(&range, |chunk, offset| {
        from_device &= medium.read_back_at(chunk, offset)?;
        found.update(&*chunk);
        Ok(())
    })?;
    if written.finalize() != found.finalize() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the overwritten bytes read back differently"));
    }
    Ok(from_device)
}

fn each_chunk(range: &Range<u64>, mut act: impl FnMut(&mut [u8], u64) -> io::Result<()>) -> io::Result<()> {
    let mut buffer = vec![0; usize::try_from(CHUNK.min(range.end - range.start)).unwrap_or_default()];
    let mut offset = range.start;
    while offset < range.end {
        let len = usize::try_from(range.end - offset).unwrap_or(usize::MAX).min(buffer.len());
        act(&mut buffer[..len], offset)?;
        offset += len as u64;
    }
    Ok(())
}
