//! Allocation of the backing, told in whole sectors of the volume.

use crate::disk::Extent;

/// Cuts holes down to the whole sectors inside them, for a sector that is a hole in part holds data, and joins
/// neighbours that are alike. `offset` is where the first extent starts in the volume.
pub(super) fn in_sectors(extents: &[Extent], offset: u64, sector: u64) -> Vec<Extent> {
    let mut out: Vec<Extent> = Vec::with_capacity(extents.len());
    let (mut at, mut told) = (offset, offset);
    for extent in extents {
        let end = at + extent.len;
        let (hole, hole_end) = (at.next_multiple_of(sector), end / sector * sector);
        if extent.hole && hole < hole_end {
            push(&mut out, hole - told, false);
            push(&mut out, hole_end - hole, true);
            told = hole_end;
        }
        at = end;
    }
    push(&mut out, at - told, false);
    out
}

fn push(out: &mut Vec<Extent>, len: u64, hole: bool) {
    match out.last_mut() {
        _ if len == 0 => {}
        Some(last) if last.hole == hole => last.len += len,
        _ => out.push(Extent { len, hole }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn extent(len: u64, hole: bool) -> Extent {
        Extent { len, hole }
    }

    #[test]
    fn a_hole_gives_up_the_sectors_it_covers_in_part() {
        let told = in_sectors(&[extent(1000, false), extent(8000, true), extent(192, false)], 0, 4096);
        assert_eq!(told, [extent(4096, false), extent(4096, true), extent(1000, false)]);
        assert_eq!(in_sectors(&[extent(4095, true)], 1, 4096), [extent(4095, false)]);
    }

    proptest! {
        /// Byte by byte: told a hole only where the backing has one, nothing added or lost, neighbours differ.
        #[test]
        fn what_is_told_covers_the_same_bytes_and_no_more_holes(
            lens in prop::collection::vec((1u64..40, any::<bool>()), 1..12),
            offset in 0u64..32,
        ) {
            let bytes = |extents: &[Extent]| -> Vec<bool> {
                extents.iter().flat_map(|extent| (0..extent.len).map(|_| extent.hole)).collect()
            };
            let given: Vec<Extent> = lens.into_iter().map(|(len, hole)| extent(len, hole)).collect();
            let told = in_sectors(&given, offset, 8);
            prop_assert!(told.windows(2).all(|pair| pair[0].hole != pair[1].hole));
            let (given, told) = (bytes(&given), bytes(&told));
            prop_assert_eq!(given.len(), told.len());
            for (n, (given, told)) in (offset..).zip(given.iter().zip(&told)) {
                prop_assert!(*given || !*told, "byte {} is told a hole", n);
            }
        }
    }
}
