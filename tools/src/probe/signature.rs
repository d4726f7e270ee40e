//! One signature: a magic and the places where it may stand.

use std::io;

use keywrap::medium::Medium;

use super::Finding;

/// Where a magic may stand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Bytes from the start.
    At(u64),
    /// `count` places from `first`, `step` bytes apart.
    Every {
        /// The first place.
        first: u64,
        /// Bytes between places.
        step: u64,
        /// How many places.
        count: u64,
    },
    /// Bytes before the end.
    FromEnd(u64),
    /// Bytes before the end, once the end is rounded down to `align`.
    FromAlignedEnd {
        /// Bytes before the rounded end.
        back: u64,
        /// A power of two.
        align: u64,
    },
}

/// A magic that identifies what a medium holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature {
    /// What it is, in words.
    pub(super) what: &'static str,
    /// Where the magic may stand.
    pub(super) places: &'static [Place],
    /// The bytes.
    pub(super) magic: &'static [u8],
}

impl Signature {
    /// The first place that carries the magic.
    pub(super) fn find(&self, medium: &dyn Medium) -> io::Result<Option<Finding>> {
        let len = medium.len()?;
        let mut seen = vec![0; self.magic.len()];
        for offset in self.places.iter().flat_map(|place| place.offsets(len)) {
            let fits = offset.checked_add(self.magic.len() as u64).is_some_and(|end| end <= len);
            if !fits {
                continue;
            }
            medium.read_exact_at(&mut seen, offset)?;
            if seen == self.magic {
                return Ok(Some(Finding { offset, what: self.what }));
            }
        }
        Ok(None)
    }
}

impl Place {
    /// Every byte offset that this place means on a medium of `len` bytes.
    pub(super) fn offsets(self, len: u64) -> impl Iterator<Item = u64> {
        let (first, step, count) = match self {
            Self::At(offset) => (Some(offset), 0, 1),
            Self::Every { first, step, count } => (Some(first), step, count),
            Self::FromEnd(back) => (len.checked_sub(back), 0, 1),
            Self::FromAlignedEnd { back, align } => ((len & !(align - 1)).checked_sub(back), 0, 1),
        };
        first.into_iter().flat_map(move |first| (0..count).map(move |n| first + n * step))
    }
}
