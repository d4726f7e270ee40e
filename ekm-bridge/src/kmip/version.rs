//! Protocol versions.

use std::fmt;

use super::fields::{Fields, Malformed};
use super::tag::Tag;
use super::ttlv::Item;

/// A version of the protocol (KMIP 1.x, section 6.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolVersion {
    /// Before the dot.
    pub major: i32,
    /// Behind the dot.
    pub minor: i32,
}

#[expect(missing_docs, reason = "the names say it")]
impl ProtocolVersion {
    pub const V1_0: Self = Self::new(1, 0);
    pub const V1_1: Self = Self::new(1, 1);
    pub const V1_2: Self = Self::new(1, 2);
    pub const V1_3: Self = Self::new(1, 3);
    pub const V1_4: Self = Self::new(1, 4);
    pub const V2_0: Self = Self::new(2, 0);
    pub const V2_1: Self = Self::new(2, 1);
}

impl ProtocolVersion {
    /// The versions that this client speaks, best first.
    pub const KNOWN: [Self; 7] = [Self::V2_1, Self::V2_0, Self::V1_4, Self::V1_3, Self::V1_2, Self::V1_1, Self::V1_0];

    const fn new(major: i32, minor: i32) -> Self {
        Self { major, minor }
    }

    /// Whether this client speaks it.
    #[must_use]
    pub fn is_known(self) -> bool {
        Self::KNOWN.contains(&self)
    }

    /// Whether attributes are written under their own tags (2.x), or as name and value in a template (1.x).
    #[must_use]
    pub fn has_tagged_attributes(self) -> bool {
        self.major >= 2
    }

    /// The structure in a header, or in the list of Discover Versions.
    #[must_use]
    pub fn to_item(self) -> Item {
        let parts = [(Tag::PROTOCOL_VERSION_MAJOR, self.major), (Tag::PROTOCOL_VERSION_MINOR, self.minor)];
        Item::structure(Tag::PROTOCOL_VERSION, parts.map(|(tag, number)| Item::integer(tag, number)).into())
    }

    /// Reads that structure.
    ///
    /// # Errors
    /// When a part of it is missing.
    pub fn from_item(item: &Item) -> Result<Self, Malformed> {
        let fields = Fields::of(item);
        Ok(Self {
            major: fields.integer(Tag::PROTOCOL_VERSION_MAJOR)?,
            minor: fields.integer(Tag::PROTOCOL_VERSION_MINOR)?,
        })
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Debug for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
