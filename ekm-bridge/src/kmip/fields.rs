//! The fields of a structure, by tag. What nobody asks for is left alone, so unknown and trailing fields do no harm.

use super::tag::Tag;
use super::ttlv::{Item, TtlvError, Value};

/// Why an answer cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not TTLV at all.
    #[error("the message cannot be decoded: {0}")]
    Ttlv(#[from] TtlvError),
    /// A field that must be there is missing.
    #[error("{inside} has no {field}")]
    Missing {
        /// The structure.
        inside: Tag,
        /// What it lacks.
        field: Tag,
    },
    /// A field has a type that it cannot have.
    #[error("{field} in {inside} has the type {code:#04x}")]
    Type {
        /// The structure.
        inside: Tag,
        /// The field.
        field: Tag,
        /// The code of the type it has.
        code: u8,
    },
    /// A message or an answer of another kind than the one expected.
    #[error("{0}")]
    Unexpected(String),
}

/// A view on the items of a structure.
#[derive(Clone, Copy)]
pub struct Fields<'a> {
    inside: Tag,
    items: &'a [Item],
}

impl<'a> Fields<'a> {
    /// The fields of `item`; none when it is no structure.
    #[must_use]
    pub fn of(item: &'a Item) -> Self {
        Self { inside: item.tag, items: item.items() }
    }

    /// A structure without fields, for an answer that has no payload.
    #[must_use]
    pub fn none(inside: Tag) -> Self {
        Self { inside, items: &[] }
    }

    /// All items in their order.
    #[must_use]
    pub fn items(self) -> &'a [Item] {
        self.items
    }

    /// Every item with this tag.
    pub fn all(self, tag: Tag) -> impl Iterator<Item = &'a Item> {
        self.items.iter().filter(move |item| item.tag == tag)
    }

    /// The first item with this tag.
    #[must_use]
    pub fn get(self, tag: Tag) -> Option<&'a Item> {
        self.items.iter().find(|item| item.tag == tag)
    }

    /// The first item with this tag, which must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn require(self, tag: Tag) -> Result<&'a Item, Malformed> {
        self.get(tag).ok_or(Malformed::Missing { inside: self.inside, field: tag })
    }

    /// The fields of the structure with this tag, which must be there.
    ///
    /// # Errors
    /// When it is missing or no structure.
    pub fn structure(self, tag: Tag) -> Result<Fields<'a>, Malformed> {
        let item = self.require(tag)?;
        match item.value {
            Value::Structure(_) => Ok(Fields::of(item)),
            _ => Err(self.wrong_type(item)),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// When it is missing or no text.
    pub fn text(self, tag: Tag) -> Result<&'a str, Malformed> {
        let item = self.require(tag)?;
        match &item.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong_type(item)),
        }
    }

    /// A text that may be missing.
    #[must_use]
    pub fn text_if_any(self, tag: Tag) -> Option<&'a str> {
        self.text(tag).ok()
    }

    /// An integer that must be there.
    ///
    /// # Errors
    /// When it is missing or no integer.
    pub fn integer(self, tag: Tag) -> Result<i32, Malformed> {
        let item = self.require(tag)?;
        match item.value {
            Value::Integer(number) => Ok(number),
            _ => Err(self.wrong_type(item)),
        }
    }

    /// An enumeration that must be there, as any of [`super::enums`].
    ///
    /// # Errors
    /// When it is missing or no enumeration.
    pub fn enumeration<E: From<u32>>(self, tag: Tag) -> Result<E, Malformed> {
        let item = self.require(tag)?;
        match item.value {
            Value::Enumeration(number) => Ok(number.into()),
            _ => Err(self.wrong_type(item)),
        }
    }

    /// An enumeration that may be missing.
    #[must_use]
    pub fn enumeration_if_any<E: From<u32>>(self, tag: Tag) -> Option<E> {
        self.enumeration(tag).ok()
    }

    /// Bytes that must be there.
    ///
    /// # Errors
    /// When they are missing or no byte string.
    pub fn bytes(self, tag: Tag) -> Result<&'a [u8], Malformed> {
        let item = self.require(tag)?;
        match &item.value {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wrong_type(item)),
        }
    }

    fn wrong_type(self, item: &Item) -> Malformed {
        Malformed::Type { inside: self.inside, field: item.tag, code: item.value.code() }
    }
}
