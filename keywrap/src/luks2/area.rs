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

#[cfg(test)]
mod tests {
    use super::super::json::{Area, Config, Keyslot, KeyslotKind, Object};
    use super::*;

    const START: u64 = 32 << 10;
    const PAGE: u64 = AREA_ALIGN;

    /// Keyslots with these areas, counted from the start of a space of `pages` pages.
    fn metadata(areas: &[(u64, u64)], pages: u64) -> Metadata {
        let keyslot = |&(first, len): &(u64, u64)| Keyslot {
            key_size: 64,
            priority: None,
            area: Area {
                kind: "raw".to_owned(),
                offset: START + first * PAGE,
                size: len * PAGE,
                rest: Object::default(),
            },
            kind: KeyslotKind::Other("test".to_owned()),
            rest: Object::default(),
        };
        Metadata {
            keyslots: (0..).zip(areas.iter().map(keyslot)).collect(),
            tokens: [].into(),
            segments: [].into(),
            digests: [].into(),
            config: Config { keyslots_size: pages * PAGE, ..Config::default() },
            rest: Object::default(),
        }
    }

    /// The first page of the area that is found.
    fn first_page(areas: &[(u64, u64)], pages: u64, size: u64) -> Option<u64> {
        let found = allocate(&metadata(areas, pages), HeaderSize::DEFAULT, size).ok()?;
        Some((found - START) / PAGE)
    }

    #[test]
    fn the_first_gap_that_is_long_enough_is_taken() {
        assert_eq!(first_page(&[], 4, PAGE), Some(0));
        assert_eq!(first_page(&[(0, 1), (2, 1)], 4, PAGE), Some(1));
        assert_eq!(first_page(&[(0, 1), (2, 1)], 8, 2 * PAGE), Some(3));
        assert_eq!(first_page(&[(3, 1), (0, 1)], 4, 2 * PAGE), Some(1), "keyslots are not in the order of their areas");
    }

    #[test]
    fn a_size_is_rounded_up_to_pages() {
        assert_eq!(first_page(&[(0, 1), (2, 1)], 8, PAGE + 1), Some(3));
        assert_eq!(area_size(64, 4000), 63 * PAGE);
    }

    #[test]
    fn a_full_space_is_an_error_that_tells_its_end() {
        assert_eq!(first_page(&[(0, 4)], 4, 1), None);
        assert_eq!(first_page(&[(0, 2)], 4, 3 * PAGE), None);
        let error = allocate(&metadata(&[(0, 2)], 4), HeaderSize::DEFAULT, 3 * PAGE).unwrap_err();
        assert_eq!(error, NoRoom { needed: 3 * PAGE, limit: START + 4 * PAGE });
    }
}
