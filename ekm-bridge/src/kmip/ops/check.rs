//! Check (KMIP 1.x, section 4.10).

use super::Request;
use crate::kmip::enums::Operation;
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::id::UniqueId;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, Value};
use crate::kmip::version::ProtocolVersion;

/// May the object be used in this way?
#[derive(Default)]
pub struct Check {
    /// The object.
    pub object: Option<UniqueId>,
    /// Bytes or objects that are to be protected with it.
    pub usage_count: Option<i64>,
    /// What it is to be used for; bits of [`crate::kmip::enums::usage`].
    pub usage_mask: Option<i32>,
    /// Seconds for which it is to be used.
    pub lease: Option<u32>,
}

/// The answer names what is *not* allowed; nothing in it means that all is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The object.
    pub id: UniqueId,
    /// What it may be used for, when that is less than asked.
    pub usage_mask: Option<i32>,
    /// Whether the count or the lease is too much.
    pub is_limited: bool,
}

impl Request for Check {
    const OPERATION: Operation = Operation::CHECK;
    type Response = Checked;

    fn payload(&self, _: ProtocolVersion) -> Vec<Item> {
        let mut fields = UniqueId::field(self.object.as_ref());
        let count = self.usage_count.map(Value::LongInteger);
        fields.extend(count.map(|count| Item::new(Tag::USAGE_LIMITS_COUNT, count)));
        fields.extend(self.usage_mask.map(|mask| Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, mask)));
        let lease = self.lease.map(Value::Interval);
        fields.extend(lease.map(|seconds| Item::new(Tag::LEASE_TIME, seconds)));
        fields
    }

    fn read(payload: Fields<'_>) -> Result<Self::Response, Malformed> {
        let limits = [Tag::USAGE_LIMITS_COUNT, Tag::LEASE_TIME];
        Ok(Checked {
            id: UniqueId::read(payload)?,
            usage_mask: payload.integer(Tag::CRYPTOGRAPHIC_USAGE_MASK).ok(),
            is_limited: limits.into_iter().any(|tag| payload.get(tag).is_some()),
        })
    }
}
