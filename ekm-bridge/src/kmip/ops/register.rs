//! Register (KMIP 1.x, section 4.3).

use super::{Repeat, Request};
use crate::kmip::attributes::{Attribute, template};
use crate::kmip::enums::{ObjectType, Operation};
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::id::UniqueId;
use crate::kmip::key_block::KeyBlock;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Item;
use crate::kmip::version::ProtocolVersion;

/// Keep a key that was made elsewhere.
pub struct Register {
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The symmetric key.
    pub key: KeyBlock,
}

impl Request for Register {
    const OPERATION: Operation = Operation::REGISTER;
    const REPEAT: Repeat = Repeat::MakesAnother;
    const NAMES_OBJECT: bool = false;
    type Response = UniqueId;

    fn payload(&self, version: ProtocolVersion) -> Vec<Item> {
        let object_type = Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SYMMETRIC_KEY);
        vec![object_type, template(&self.attributes, version), self.key.to_symmetric_key()]
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        UniqueId::read(payload)
    }
}
