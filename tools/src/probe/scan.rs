//! Content without a known signature: the first byte that is not zero where a new volume would write, or at the end.

use std::io;

use keywrap::medium::Medium;

use super::Finding;

/// The part at the front that is read whole: as much as a default volume keeps for its header.
const HEAD: u64 = 16 << 20;
/// The part at the end that is read whole: backup tables and RAID superblocks live there.
const TAIL: u64 = 1 << 20;
const CHUNK: usize = 1 << 18;

/// The first byte in the head or the tail that is not zero.
pub(super) fn first_nonzero(medium: &dyn Medium) -> io::Result<Option<Finding>> {
    let len = medium.len()?;
    let head_end = len.min(HEAD);
    let tail_start = len.saturating_sub(TAIL).max(head_end);
    let found = match nonzero_in(medium, 0, head_end)? {
        None => nonzero_in(medium, tail_start, len)?,
        found => found,
    };
    Ok(found.map(|offset| Finding { offset, what: "data of an unknown kind" }))
}

fn nonzero_in(medium: &dyn Medium, start: u64, end: u64) -> io::Result<Option<u64>> {
    let mut chunk = vec![0; CHUNK];
    let mut offset = start;
    while offset < end {
        let len = usize::try_from(end - offset).map_or(CHUNK, |left| left.min(CHUNK));
        let part = chunk.get_mut(..len).unwrap_or_default();
        medium.read_exact_at(part, offset)?;
        if let Some((at, _)) = (offset..).zip(part.iter()).find(|(_, byte)| **byte != 0) {
            return Ok(Some(at));
        }
        offset += len as u64;
    }
    Ok(None)
}
