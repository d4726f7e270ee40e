//! A saved header back in force without a moment at which no header opens the volume.

use std::ops::Range;

use super::header::CheckedHeader;
use super::json::Area;
use super::store::{Store, StoreError};

impl Store<'_> {
    /// Puts `saved`, a header of this volume with the same layout, in force again. `space` is the whole saved space for
    /// keyslots. Keyslot areas that differ are written first, then the headers; at last the rest of the space is made
    /// equal to the saved one, so that keyslots added since are gone for good.
    ///
    /// Returns `false`, with nothing written, when an area to be written lies on one that the header in force needs:
    /// there is no order then in which a cut is harmless.
    ///
    /// # Errors
    /// Those of [`Store::write_area`] and [`Store::replace`].
    pub fn restore(&mut self, saved: &CheckedHeader, space: &[u8]) -> Result<bool, StoreError> {
        let mut areas: Vec<_> = saved.metadata.keyslots.values().map(|slot| slot.area.clone()).collect();
        areas.sort_unstable_by_key(|area| area.offset);
        let start = saved.size.both_copies();
        let mut missing = Vec::new();
        for area in &areas {
            let bytes = slice(space, start, area.offset..area.offset + area.size);
            if self.read_area(area)? == bytes {
                continue;
            }
            if self.check_free(&(area.offset..area.offset + area.size)).is_err() {
                return Ok(false);
            }
            missing.push((area.offset, bytes));
        }
        for (offset, bytes) in missing {
            self.write_area(offset, bytes)?;
        }
        self.replace(saved.clone())?;
        for gap in gaps(&areas, start..start + space.len() as u64) {
            self.write_area(gap.start, slice(space, start, gap))?;
        }
        Ok(true)
    }
}

/// The bytes of `range`, counted on the medium, out of the space that begins at `start`.
fn slice(space: &[u8], start: u64, range: Range<u64>) -> &[u8] {
    let index = |at: u64| usize::try_from(at - start).unwrap_or(usize::MAX);
    space.get(index(range.start)..index(range.end)).unwrap_or_default()
}

/// What lies between and around `areas`, which are in ascending order, inside `space`.
fn gaps(areas: &[Area], space: Range<u64>) -> Vec<Range<u64>> {
    let mut at = space.start;
    let mut gaps = Vec::new();
    for area in areas {
        gaps.push(at..area.offset);
        at = area.offset + area.size;
    }
    gaps.push(at..space.end);
    gaps.retain(|gap| !gap.is_empty());
    gaps
}
