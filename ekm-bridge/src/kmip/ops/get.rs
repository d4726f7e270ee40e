//! Get (KMIP 1.x, section 4.11).

use super::Request;
use crate::kmip::enums::{EncodingOption, KeyFormatType, ObjectType, Operation, WrappingMethod};
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::id::UniqueId;
use crate::kmip::key_block::KeyBlock;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Item;
use crate::kmip::version::ProtocolVersion;

use super::crypt::CryptographicParameters;

/// Give out an object.
#[derive(Default)]
pub struct Get {
    /// The object.
    pub object: Option<UniqueId>,
    /// In which format; the server's choice if it is left out, which some servers insist on.
    pub format: Option<KeyFormatType>,
    /// How to wrap it; in clear if it is left out.
    pub wrapping: Option<WrappingSpecification>,
}

/// How a key is to be wrapped (section 2.1.6).
pub struct WrappingSpecification {
    /// The key that wraps.
    pub wrapping_key: UniqueId,
    /// How it wraps.
    pub parameters: CryptographicParameters,
    /// What is wrapped (1.1 and later; left out before).
    pub encoding: Option<EncodingOption>,
}

/// An object as it was given out.
pub struct ManagedObject {
    /// Its type.
    pub object_type: ObjectType,
    /// Its identifier.
    pub id: UniqueId,
    /// Its key, if it is of a type that has one: a symmetric, public or private key or secret data.
    pub key: Option<KeyBlock>,
}

/// The structures that contain a key block.
const WITH_KEY_BLOCK: [Tag; 5] =
    [Tag::SYMMETRIC_KEY, Tag::SECRET_DATA, Tag::PRIVATE_KEY, Tag::PUBLIC_KEY, Tag::SPLIT_KEY];

impl Request for Get {
    const OPERATION: Operation = Operation::GET;
    type Response = ManagedObject;

    fn payload(&self, version: ProtocolVersion) -> Vec<Item> {
        let mut fields = UniqueId::field(self.object.as_ref());
        fields.extend(self.format.map(|format| Item::enumeration(Tag::KEY_FORMAT_TYPE, format)));
        fields.extend(self.wrapping.as_ref().map(|wrapping| wrapping.to_item(version)));
        fields
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        let object = payload.items().iter().find(|item| WITH_KEY_BLOCK.contains(&item.tag));
        Ok(ManagedObject {
            object_type: payload.enumeration(Tag::OBJECT_TYPE)?,
            id: UniqueId::read(payload)?,
            key: object.map(|object| KeyBlock::read(Fields::of(object))).transpose()?,
        })
    }
}

impl WrappingSpecification {
    fn to_item(&self, version: ProtocolVersion) -> Item {
        let mut key = UniqueId::field(Some(&self.wrapping_key));
        key.extend(self.parameters.to_item(version));
        let mut fields = vec![
            Item::enumeration(Tag::WRAPPING_METHOD, WrappingMethod::ENCRYPT),
            Item::structure(Tag::ENCRYPTION_KEY_INFORMATION, key),
        ];
        let encoding = self.encoding.filter(|_| version >= ProtocolVersion::V1_1);
        fields.extend(encoding.map(|encoding| Item::enumeration(Tag::ENCODING_OPTION, encoding)));
        Item::structure(Tag::KEY_WRAPPING_SPECIFICATION, fields)
    }
}
