//! RNG Retrieve (KMIP 1.2, section 4.35).

use keywrap::secret::SecretBytes;

use super::Request;
use crate::kmip::enums::Operation;
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Item;
use crate::kmip::version::ProtocolVersion;

/// Random bytes from the server, which may be fewer than asked for.
pub struct RngRetrieve {
    /// How many bytes.
    pub length: i32,
}

impl Request for RngRetrieve {
    const OPERATION: Operation = Operation::RNG_RETRIEVE;
    const SINCE: ProtocolVersion = ProtocolVersion::V1_2;
    const NAMES_OBJECT: bool = false;
    type Response = SecretBytes;

    fn payload(&self, _: ProtocolVersion) -> Vec<Item> {
        vec![Item::integer(Tag::DATA_LENGTH, self.length)]
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        payload.bytes(Tag::DATA).map(SecretBytes::copy_from)
    }
}
