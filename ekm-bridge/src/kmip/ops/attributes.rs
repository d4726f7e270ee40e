//! The operations on attributes (KMIP 1.x, sections 4.12 to 4.15).

use super::Request;
use crate::kmip::attributes::{Attribute, AttributeName, AttributeSet, one, read_references, references};
use crate::kmip::enums::Operation;
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::id::UniqueId;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Item;
use crate::kmip::version::ProtocolVersion;

/// Which values do these attributes have?
#[derive(Default)]
pub struct GetAttributes {
    /// The object.
    pub object: Option<UniqueId>,
    /// The attributes; empty asks for all.
    pub names: Vec<AttributeName>,
}

impl Request for GetAttributes {
    const OPERATION: Operation = Operation::GET_ATTRIBUTES;
    type Response = AttributeSet;

    fn payload(&self, version: ProtocolVersion) -> Vec<Item> {
        let mut fields = UniqueId::field(self.object.as_ref());
        fields.extend(references(&self.names, version));
        fields
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        AttributeSet::read(payload)
    }
}

/// Which attributes does an object have?
#[derive(Default)]
pub struct GetAttributeList {
    /// The object.
    pub object: Option<UniqueId>,
}

impl Request for GetAttributeList {
    const OPERATION: Operation = Operation::GET_ATTRIBUTE_LIST;
    type Response = Vec<AttributeName>;

    fn payload(&self, _: ProtocolVersion) -> Vec<Item> {
        UniqueId::field(self.object.as_ref())
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        Ok(read_references(payload))
    }
}

/// Give an object one attribute more.
pub struct AddAttribute {
    /// The object.
    pub object: Option<UniqueId>,
    /// The attribute.
    pub attribute: Attribute,
}

impl Request for AddAttribute {
    const OPERATION: Operation = Operation::ADD_ATTRIBUTE;
    type Response = ();

    fn payload(&self, version: ProtocolVersion) -> Vec<Item> {
        changed(self.object.as_ref(), &self.attribute, version)
    }

    fn read(_: Fields<'_>) -> Result<Self::Response, Malformed> {
        Ok(())
    }
}

/// Change the value of an attribute that an object has.
pub struct ModifyAttribute {
    /// The object.
    pub object: Option<UniqueId>,
    /// The attribute with its new value.
    pub attribute: Attribute,
}

impl Request for ModifyAttribute {
    const OPERATION: Operation = Operation::MODIFY_ATTRIBUTE;
    type Response = ();

    fn payload(&self, version: ProtocolVersion) -> Vec<Item> {
        changed(self.object.as_ref(), &self.attribute, version)
    }

    fn read(_: Fields<'_>) -> Result<Self::Response, Malformed> {
        Ok(())
    }
}

/// The object and the attribute; 2.x puts the attribute into the structure New Attribute.
fn changed(object: Option<&UniqueId>, attribute: &Attribute, version: ProtocolVersion) -> Vec<Item> {
    let mut fields = UniqueId::field(object);
    let attribute = one(attribute, version);
    fields.push(match version.has_tagged_attributes() {
        true => Item::structure(Tag::NEW_ATTRIBUTE, vec![attribute]),
        false => attribute,
    });
    fields
}
