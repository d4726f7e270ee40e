//! Tags: the 24-bit numbers that name every item of a message.

use std::fmt;

mod first;
mod later;

/// A tag (KMIP 1.x, section 9.1.1.1). Any number is a tag; those that the specification knows have a name and a constant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(u32);

impl Tag {
    /// The largest number that fits the three bytes of a tag.
    const MAX: u32 = 0xFF_FFFF;

    /// The tag with this number; `None` when it needs more than three bytes.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number <= Self::MAX { Some(Self(number)) } else { None }
    }

    /// The tag in three bytes, most significant first.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 3]) -> Self {
        Self(u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]))
    }

    /// The three bytes, most significant first.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 3] {
        let [_, a, b, c] = self.0.to_be_bytes();
        [a, b, c]
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The name in the specification, which is also the name of the attribute in KMIP 1.x.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        let tables = [first::NAMES, later::NAMES];
        let find = |table: &'static [(Tag, &'static str)]| {
            let at = table.binary_search_by_key(&self, |entry| entry.0).ok()?;
            table.get(at).map(|entry| entry.1)
        };
        tables.into_iter().find_map(find)
    }

    /// The tag with this name, written exactly as in the specification.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let entry = first::NAMES.iter().chain(later::NAMES).find(|entry| entry.1 == name)?;
        Some(entry.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "tag {:#08x}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A table of tags, in the order of their numbers: a constant and a name for each.
macro_rules! tags {
    ($($constant:ident = $number:literal, $name:literal;)+) => {
        impl Tag {
            $(#[doc = $name] pub const $constant: Tag = Tag($number);)+
        }

        /// The names of this table, in the order of their numbers.
        pub(super) const NAMES: &[(Tag, &str)] = &[$((Tag($number), $name)),+];
    };
}
use tags;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order_so_that_they_can_be_searched() {
        let all: Vec<_> = first::NAMES.iter().chain(later::NAMES).collect();
        assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(all.iter().all(|(tag, name)| tag.name() == Some(name) && Tag::named(name) == Some(*tag)));
    }

    #[test]
    fn a_tag_without_a_name_shows_its_number() {
        assert_eq!(Tag::UNIQUE_IDENTIFIER.to_string(), "Unique Identifier");
        assert_eq!(Tag::from_bytes([0x54, 0, 1]).to_string(), "tag 0x540001");
        assert_eq!(Tag::new(0x100_0000), None);
    }
}
