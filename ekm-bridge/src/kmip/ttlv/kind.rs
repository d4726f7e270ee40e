//! The types of items.

/// The type of an item (KMIP 1.x, section 9.1.1.2; KMIP 2.0 adds the last).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub enum ItemType {
    Structure,
    Integer,
    LongInteger,
    BigInteger,
    Enumeration,
    Boolean,
    TextString,
    ByteString,
    DateTime,
    Interval,
    DateTimeExtended,
}

/// Every type beside its code.
const CODES: [(ItemType, u8); 11] = [
    (ItemType::Structure, 0x01),
    (ItemType::Integer, 0x02),
    (ItemType::LongInteger, 0x03),
    (ItemType::BigInteger, 0x04),
    (ItemType::Enumeration, 0x05),
    (ItemType::Boolean, 0x06),
    (ItemType::TextString, 0x07),
    (ItemType::ByteString, 0x08),
    (ItemType::DateTime, 0x09),
    (ItemType::Interval, 0x0A),
    (ItemType::DateTimeExtended, 0x0B),
];

impl ItemType {
    /// The type with this code; `None` for a code that the specification does not know.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        CODES.iter().find(|entry| entry.1 == code).map(|entry| entry.0)
    }

    /// The code in the fourth byte of an item.
    #[must_use]
    pub fn code(self) -> u8 {
        CODES.iter().find(|entry| entry.0 == self).map_or(0, |entry| entry.1)
    }
}
