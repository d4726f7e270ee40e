//! Items: a message is a tree of them.

use zeroize::Zeroizing;

use super::kind::ItemType;
use crate::kmip::tag::Tag;

/// A tagged value. It may hold a key, so it can be neither copied nor printed, and wipes what it holds; to see one,
/// use [`Item::describe`].
pub struct Item {
    /// What the value means.
    pub tag: Tag,
    /// The value.
    pub value: Value,
}

/// A value of one of the types of TTLV.
pub enum Value {
    /// Items in the order in which they stand.
    Structure(Vec<Item>),
    /// 32 bits, signed.
    Integer(i32),
    /// 64 bits, signed.
    LongInteger(i64),
    /// Two's complement, most significant byte first; a multiple of eight bytes.
    BigInteger(Zeroizing<Vec<u8>>),
    /// A number whose meaning depends on the tag; see [`crate::kmip::enums`].
    Enumeration(u32),
    /// True or false.
    Boolean(bool),
    /// UTF-8.
    Text(Zeroizing<String>),
    /// Any bytes; often a key.
    Bytes(Zeroizing<Vec<u8>>),
    /// Seconds since 1970-01-01T00:00:00Z.
    DateTime(i64),
    /// Seconds.
    Interval(u32),
    /// Microseconds since 1970-01-01T00:00:00Z (KMIP 2.0).
    DateTimeExtended(i64),
    /// Of a type that the specification does not know, or a text that is not UTF-8: kept as it came.
    Unknown {
        /// The code of the type.
        code: u8,
        /// The value without its padding.
        bytes: Zeroizing<Vec<u8>>,
    },
}

impl Item {
    /// An item of any type.
    #[must_use]
    pub fn new(tag: Tag, value: Value) -> Self {
        Self { tag, value }
    }

    /// A structure of `items`.
    #[must_use]
    pub fn structure(tag: Tag, items: Vec<Item>) -> Self {
        Self::new(tag, Value::Structure(items))
    }

    /// An integer.
    #[must_use]
    pub fn integer(tag: Tag, value: i32) -> Self {
        Self::new(tag, Value::Integer(value))
    }

    /// An enumeration; any of [`crate::kmip::enums`], or a bare number.
    #[must_use]
    pub fn enumeration(tag: Tag, value: impl Into<u32>) -> Self {
        Self::new(tag, Value::Enumeration(value.into()))
    }

    /// A text.
    #[must_use]
    pub fn text(tag: Tag, text: impl Into<String>) -> Self {
        Self::new(tag, Value::Text(Zeroizing::new(text.into())))
    }

    /// A copy of `bytes`; the caller wipes its own.
    #[must_use]
    pub fn bytes(tag: Tag, bytes: &[u8]) -> Self {
        Self::new(tag, Value::Bytes(Zeroizing::new(bytes.to_vec())))
    }

    /// True or false.
    #[must_use]
    pub fn boolean(tag: Tag, value: bool) -> Self {
        Self::new(tag, Value::Boolean(value))
    }

    /// A copy, on purpose: what is copied wipes itself too.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { tag: self.tag, value: self.value.duplicate() }
    }

    /// The items of a structure; none of anything else.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        match &self.value {
            Value::Structure(items) => items,
            _ => &[],
        }
    }
}

impl Value {
    /// The type, unless it is one that the specification does not know.
    #[must_use]
    pub fn kind(&self) -> Option<ItemType> {
        Some(match self {
            Self::Structure(_) => ItemType::Structure,
            Self::Integer(_) => ItemType::Integer,
            Self::LongInteger(_) => ItemType::LongInteger,
            Self::BigInteger(_) => ItemType::BigInteger,
            Self::Enumeration(_) => ItemType::Enumeration,
            Self::Boolean(_) => ItemType::Boolean,
            Self::Text(_) => ItemType::TextString,
            Self::Bytes(_) => ItemType::ByteString,
            Self::DateTime(_) => ItemType::DateTime,
            Self::Interval(_) => ItemType::Interval,
            Self::DateTimeExtended(_) => ItemType::DateTimeExtended,
            Self::Unknown { .. } => return None,
        })
    }

    /// A copy, on purpose: what is copied wipes itself too.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        match self {
            Self::Structure(items) => Self::Structure(items.iter().map(Item::duplicate).collect()),
            Self::Integer(number) => Self::Integer(*number),
            Self::LongInteger(number) => Self::LongInteger(*number),
            Self::BigInteger(bytes) => Self::BigInteger(bytes.clone()),
            Self::Enumeration(number) => Self::Enumeration(*number),
            Self::Boolean(value) => Self::Boolean(*value),
            Self::Text(text) => Self::Text(text.clone()),
            Self::Bytes(bytes) => Self::Bytes(bytes.clone()),
            Self::DateTime(seconds) => Self::DateTime(*seconds),
            Self::Interval(seconds) => Self::Interval(*seconds),
            Self::DateTimeExtended(micros) => Self::DateTimeExtended(*micros),
            Self::Unknown { code, bytes } => Self::Unknown { code: *code, bytes: bytes.clone() },
        }
    }

    /// The code of the type.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Unknown { code, .. } => *code,
            known => known.kind().map_or(0, ItemType::code),
        }
    }
}
