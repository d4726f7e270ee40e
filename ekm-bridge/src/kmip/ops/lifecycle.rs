//! The operations that move an object through its states (KMIP 1.x, sections 4.19 to 4.21).

use super::Request;
use crate::kmip::enums::{Operation, RevocationReasonCode};
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::id::UniqueId;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, Value};
use crate::kmip::version::ProtocolVersion;

/// Pre-Active to Active.
#[derive(Default)]
pub struct Activate {
    /// The object.
    pub object: Option<UniqueId>,
}

impl Request for Activate {
    const OPERATION: Operation = Operation::ACTIVATE;
    type Response = ();

    fn payload(&self, _: ProtocolVersion) -> Vec<Item> {
        UniqueId::field(self.object.as_ref())
    }

    fn read(_: Fields<'_>) -> Result<Self::Response, Malformed> {
        Ok(())
    }
}

/// To Compromised when the reason is a compromise, else Active to Deactivated.
pub struct Revoke {
    /// The object.
    pub object: Option<UniqueId>,
    /// Why.
    pub reason: RevocationReasonCode,
    /// More words on it.
    pub message: Option<String>,
    /// When it happened, in seconds since 1970; only for a compromise.
    pub occurred: Option<i64>,
}

impl Request for Revoke {
    const OPERATION: Operation = Operation::REVOKE;
    type Response = ();

    fn payload(&self, _: ProtocolVersion) -> Vec<Item> {
        let mut reason = vec![Item::enumeration(Tag::REVOCATION_REASON_CODE, self.reason)];
        reason.extend(self.message.as_deref().map(|words| Item::text(Tag::REVOCATION_MESSAGE, words)));
        let mut fields = UniqueId::field(self.object.as_ref());
        fields.push(Item::structure(Tag::REVOCATION_REASON, reason));
        let occurred = self.occurred.map(Value::DateTime);
        fields.extend(occurred.map(|time| Item::new(Tag::COMPROMISE_OCCURRENCE_DATE, time)));
        fields
    }

    fn read(_: Fields<'_>) -> Result<Self::Response, Malformed> {
        Ok(())
    }
}

/// To Destroyed: the key material is gone, the attributes may stay.
#[derive(Default)]
pub struct Destroy {
    /// The object.
    pub object: Option<UniqueId>,
}

impl Request for Destroy {
    const OPERATION: Operation = Operation::DESTROY;
    type Response = ();

    fn payload(&self, _: ProtocolVersion) -> Vec<Item> {
        UniqueId::field(self.object.as_ref())
    }

    fn read(_: Fields<'_>) -> Result<Self::Response, Malformed> {
        Ok(())
    }
}
