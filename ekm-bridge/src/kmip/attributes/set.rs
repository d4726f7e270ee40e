//! The attributes of one object, as a server gave them.

use super::{Attribute, AttributeName, layout};
use crate::kmip::enums::{CryptographicAlgorithm, ObjectType, State};
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, Value};

/// All attributes that came with an answer.
#[derive(Default)]
pub struct AttributeSet {
    /// In the order in which they stand.
    pub attributes: Vec<Attribute>,
}

impl AttributeSet {
    /// Reads the attributes of a payload, in the layout of 1.x or of 2.x.
    ///
    /// # Errors
    /// When an attribute has no name.
    pub fn read(payload: Fields<'_>) -> Result<Self, Malformed> {
        Ok(Self { attributes: layout::read_all(payload)? })
    }

    /// Every value of one attribute.
    pub fn values(&self, name: &AttributeName) -> impl Iterator<Item = &Value> {
        self.attributes.iter().filter(move |attribute| attribute.name == *name).map(|attribute| &attribute.value)
    }

    /// Every Name of the object.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let is_name = |attribute: &&Attribute| attribute.name == AttributeName::Standard(Tag::NAME);
        self.attributes.iter().filter(is_name).filter_map(|attribute| name_value(&attribute.value))
    }

    /// Whether the object has this Name, among others.
    #[must_use]
    pub fn has_name(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// Whether a custom attribute has this text, in one of its instances.
    #[must_use]
    pub fn has_custom(&self, name: &str, text: &str) -> bool {
        let is_equal = |value: &Value| matches!(value, Value::Text(found) if found.as_str() == text);
        self.values(&AttributeName::custom(name)).any(is_equal)
    }

    /// Object Type.
    #[must_use]
    pub fn object_type(&self) -> Option<ObjectType> {
        self.enumeration(Tag::OBJECT_TYPE).map(ObjectType)
    }

    /// State.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        self.enumeration(Tag::STATE).map(State)
    }

    /// Cryptographic Algorithm.
    #[must_use]
    pub fn algorithm(&self) -> Option<CryptographicAlgorithm> {
        self.enumeration(Tag::CRYPTOGRAPHIC_ALGORITHM).map(CryptographicAlgorithm)
    }

    /// Cryptographic Length, in bits.
    #[must_use]
    pub fn length(&self) -> Option<i32> {
        self.values(&AttributeName::Standard(Tag::CRYPTOGRAPHIC_LENGTH)).find_map(|value| match value {
            Value::Integer(bits) => Some(*bits),
            _ => None,
        })
    }

    fn enumeration(&self, tag: Tag) -> Option<u32> {
        self.values(&AttributeName::Standard(tag)).find_map(|value| match value {
            Value::Enumeration(number) => Some(*number),
            _ => None,
        })
    }
}

/// The text in a Name; some servers leave the structure out and write the text alone.
fn name_value(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Structure(items) => items.iter().find_map(|item: &Item| match (&item.value, item.tag) {
            (Value::Text(text), Tag::NAME_VALUE) => Some(text.as_str()),
            _ => None,
        }),
        _ => None,
    }
}
