//! Where a new keyslot's binary area goes.

use super::binary::HeaderSize;
use super::json::AREA_ALIGN;
use super::json::Metadata;

/// There is no room for another keyslot area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {needed} bytes in one piece are free between the headers and byte {limit}; remove a keyslot first")]
pub struct NoRoom {
    /// Bytes asked for, rounded up to the alignment.
    pub needed: u64,
    /// Where the space for keyslots ends.
    pub limit: u64,
}

/// Length in bytes of the area for a key of `key_size` bytes in `stripes` stripes, rounded up to 4096.
#[must_use]
pub fn area_size(key_size: u32, stripes: u32) -> u64 {
    (u64::from(key_size) * u64::from(stripes)).next_multiple_of(AREA_ALIGN)
}

/// The first gap of at least `size` bytes between the areas of `metadata`, as cryptsetup searches. Returns the
/// offset on the header device, a multiple of 4096.
///
/// # Errors
/// When no gap is long enough.
pub fn allocate(metadata: &Metadata, header: HeaderSize, size: u64) -> Result<u64, NoRoom> {
    let needed = size.next_multiple_of(AREA_ALIGN);
    let start = header.both_copies();
    let limit = start + metadata.config.keyslots_size;
    let mut taken: Vec<_> = metadata.keyslots.values().map(|slot| (slot.area.offset, slot.area.size)).collect();
    taken.sort_unstable();
    let mut candidate = start;
    for (offset, size) in taken {
        if offset.saturating_sub(candidate) >= needed {
            break;
        }
        candidate = offset + size;
    }
    if limit.saturating_sub(candidate) < needed {
        return Err(NoRoom { needed, limit });
    }
    Ok(candidate)
}
