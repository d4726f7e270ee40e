//! The server's names of objects.

use std::fmt;

use super::fields::{Fields, Malformed};
use super::tag::Tag;
use super::ttlv::{Item, Value};

/// The Unique Identifier that a server gave to an object (KMIP 1.x, section 3.1). It is no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId(pub String);

impl UniqueId {
    /// Reads the identifier of a payload.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(payload: Fields<'_>) -> Result<Self, Malformed> {
        Self::from_item(payload.require(Tag::UNIQUE_IDENTIFIER)?)
    }

    /// Reads an identifier; KMIP 2.x allows an integer in the place of the text.
    ///
    /// # Errors
    /// When it is neither.
    pub fn from_item(item: &Item) -> Result<Self, Malformed> {
        match &item.value {
            Value::Text(text) => Ok(Self(text.to_string())),
            Value::Integer(number) => Ok(Self(number.to_string())),
            other => Err(Malformed::Type { inside: Tag::RESPONSE_PAYLOAD, field: item.tag, code: other.code() }),
        }
    }

    /// The field of a request that names the object; none means the ID Placeholder, the object that an earlier item
    /// of the batch made or found.
    pub(super) fn field(id: Option<&Self>) -> Vec<Item> {
        id.map(|id| Item::text(Tag::UNIQUE_IDENTIFIER, &id.0)).into_iter().collect()
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
