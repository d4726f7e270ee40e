//! Re-key (KMIP 1.x, section 4.4).

use super::{Repeat, Request};
use crate::kmip::attributes::{Attribute, template};
use crate::kmip::enums::Operation;
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::id::UniqueId;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, Value};
use crate::kmip::version::ProtocolVersion;

/// Make a key that takes the place of another, with its names and attributes.
///
/// Sear's own rekey makes a new key by Create instead: some servers deactivate the old one when this is called.
pub struct ReKey {
    /// The key to be replaced.
    pub object: Option<UniqueId>,
    /// Seconds from the making of the new key to its activation.
    pub offset: Option<u32>,
    /// Attributes that differ from those of the old key.
    pub attributes: Vec<Attribute>,
}

impl Request for ReKey {
    const OPERATION: Operation = Operation::RE_KEY;
    const REPEAT: Repeat = Repeat::MakesAnother;
    type Response = UniqueId;

    fn payload(&self, version: ProtocolVersion) -> Vec<Item> {
        let mut fields = UniqueId::field(self.object.as_ref());
        fields.extend(self.offset.map(|seconds| Item::new(Tag::OFFSET, Value::Interval(seconds))));
        if !self.attributes.is_empty() {
            fields.push(template(&self.attributes, version));
        }
        fields
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        UniqueId::read(payload)
    }
}
