//! Create (KMIP 1.x, section 4.1).

use super::{Repeat, Request};
use crate::kmip::attributes::{Attribute, template};
use crate::kmip::enums::{ObjectType, Operation};
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::id::UniqueId;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Item;
use crate::kmip::version::ProtocolVersion;

/// Make a new key. The server chooses its bytes.
pub struct Create {
    /// Its attributes; algorithm, length and usage mask have to be among them.
    pub attributes: Vec<Attribute>,
}

impl Request for Create {
    const OPERATION: Operation = Operation::CREATE;
    const REPEAT: Repeat = Repeat::MakesAnother;
    const NAMES_OBJECT: bool = false;
    type Response = UniqueId;

    fn payload(&self, version: ProtocolVersion) -> Vec<Item> {
        let object_type = Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SYMMETRIC_KEY);
        vec![object_type, template(&self.attributes, version)]
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        UniqueId::read(payload)
    }
}
