//! Tokens of any type (LUKS2 spec, section 3.5). Ours is read further by `luks2::token`.

use super::object::Fields;
use super::{BadMetadata, MAX_KEYSLOTS, Object, Problem, references};

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The member `type`.
    pub kind: String,
    /// The keyslots that this token may open.
    pub keyslots: Vec<u32>,
    /// Every other member; its meaning depends on the type.
    pub rest: Object,
}

impl Token {
    pub(super) fn read(mut fields: Fields) -> Result<Self, BadMetadata> {
        Ok(Self {
            kind: fields.string("type")?,
            keyslots: references(&mut fields, "keyslots", MAX_KEYSLOTS, |id| Problem::NoSuchKeyslot { id })?,
            rest: fields.rest(),
        })
    }

    pub(super) fn to_object(&self) -> Object {
        let mut object = self.rest.clone();
        object.put_str("type", &self.kind);
        object.put_strings("keyslots", &self.keyslots);
        object
    }
}
