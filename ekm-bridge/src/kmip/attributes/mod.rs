//! Attributes of managed objects, and the two ways in which they are written.
//!
//! ```text
//! 1.x   Template-Attribute { Attribute { Attribute Name "State", Attribute Index 0, Attribute Value Enumeration 2 }, ... }
//!                            Attribute { Attribute Name "x-colour",                 Attribute Value Text "red"    }
//! 2.x   Attributes         { State Enumeration 2, ... }
//!                            Attribute { Vendor Identification "x", Attribute Name "colour", Attribute Value Text "red" }
//! ```
//! Both are read whatever the version of the message, because some servers mix them.

mod layout;
mod name;
mod set;
#[cfg(test)]
mod tests;

pub(in crate::kmip) use layout::read_references;
pub use layout::{one, references, template};
pub use name::AttributeName;
pub use set::AttributeSet;

use super::enums::{CryptographicAlgorithm, NameType};
use super::tag::Tag;
use super::ttlv::{Item, Value};

/// One attribute of one object.
pub struct Attribute {
    /// Which attribute.
    pub name: AttributeName,
    /// Which instance of it (1.x only); the server counts from 0.
    pub index: Option<i32>,
    /// Its value.
    pub value: Value,
}

impl Attribute {
    /// A standard attribute.
    #[must_use]
    pub fn standard(tag: Tag, value: Value) -> Self {
        Self { name: AttributeName::Standard(tag), index: None, value }
    }

    /// The attribute Name (section 3.2): a text that a client chose.
    #[must_use]
    pub fn name(name: &str) -> Self {
        let fields = vec![
            Item::text(Tag::NAME_VALUE, name),
            Item::enumeration(Tag::NAME_TYPE, NameType::UNINTERPRETED_TEXT_STRING),
        ];
        Self::standard(Tag::NAME, Value::Structure(fields))
    }

    /// Cryptographic Algorithm (section 3.4).
    #[must_use]
    pub fn algorithm(algorithm: CryptographicAlgorithm) -> Self {
        Self::standard(Tag::CRYPTOGRAPHIC_ALGORITHM, Value::Enumeration(algorithm.into()))
    }

    /// Cryptographic Length (section 3.5), in bits.
    #[must_use]
    pub fn length(bits: i32) -> Self {
        Self::standard(Tag::CRYPTOGRAPHIC_LENGTH, Value::Integer(bits))
    }

    /// Cryptographic Usage Mask (section 3.19); bits of [`super::enums::usage`].
    #[must_use]
    pub fn usage(mask: i32) -> Self {
        Self::standard(Tag::CRYPTOGRAPHIC_USAGE_MASK, Value::Integer(mask))
    }

    /// A custom attribute (section 3.39) with a text as its value.
    #[must_use]
    pub fn custom(name: &str, text: &str) -> Self {
        let value = Item::text(Tag::ATTRIBUTE_VALUE, text).value;
        Self { name: AttributeName::custom(name), index: None, value }
    }
}
