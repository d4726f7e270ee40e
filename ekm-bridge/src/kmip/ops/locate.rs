//! Locate (KMIP 1.x, section 4.9).

use super::Request;
use crate::kmip::attributes::{Attribute, one, template};
use crate::kmip::enums::Operation;
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::id::UniqueId;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Item;
use crate::kmip::version::ProtocolVersion;

/// Which objects have all of these attributes?
///
/// The answer is a hint: at least one server ignores a custom attribute here and returns everything. Read the
/// attributes of what was found and compare.
#[derive(Default)]
pub struct Locate {
    /// The most identifiers to return.
    pub maximum: Option<i32>,
    /// How many to skip (1.3 and later; left out before).
    pub skip: Option<i32>,
    /// What the objects must have.
    pub attributes: Vec<Attribute>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The objects.
    pub ids: Vec<UniqueId>,
    /// How many there are in all, if the server says so (1.3 and later).
    pub total: Option<i32>,
}

impl Request for Locate {
    const OPERATION: Operation = Operation::LOCATE;
    const NAMES_OBJECT: bool = false;
    type Response = Located;

    fn payload(&self, version: ProtocolVersion) -> Vec<Item> {
        let mut fields = Vec::new();
        fields.extend(self.maximum.map(|count| Item::integer(Tag::MAXIMUM_ITEMS, count)));
        let skip = self.skip.filter(|_| version >= ProtocolVersion::V1_3);
        fields.extend(skip.map(|count| Item::integer(Tag::OFFSET_ITEMS, count)));
        if version.has_tagged_attributes() {
            fields.push(template(&self.attributes, version));
        } else {
            fields.extend(self.attributes.iter().map(|attribute| one(attribute, version)));
        }
        fields
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        let ids = payload.all(Tag::UNIQUE_IDENTIFIER).map(UniqueId::from_item).collect::<Result<_, _>>()?;
        Ok(Located { ids, total: payload.integer(Tag::LOCATED_ITEMS).ok() })
    }
}
