//! Bytes to responses.

use crate::kmip::enums::{Operation, ResultStatus};
use crate::kmip::fields::{Fields, Malformed};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, Limits, Value, decode};
use crate::kmip::version::ProtocolVersion;

use super::result::{Failure, Outcome};

/// Characters of a server's message that are kept: it goes into logs.
const MAX_WORDS: usize = 400;

/// An answer of a server, taken apart as far as its batch items.
pub struct Response {
    message: Item,
    /// The version in which the server answers.
    pub version: ProtocolVersion,
}

/// The answer to one operation.
pub struct ResponseItem<'a> {
    /// The operation that is answered; some servers leave it out when they refuse the message as a whole.
    pub operation: Option<Operation>,
    /// The item of the request that is answered, if it had an id.
    pub id: Option<&'a [u8]>,
    /// What the server has to say, or why it refuses.
    pub outcome: Outcome<Fields<'a>>,
}

impl Response {
    /// Decodes a whole message.
    ///
    /// # Errors
    /// When it is no TTLV, no response, or lacks its header.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, Malformed> {
        let message = decode(bytes, limits)?;
        if message.tag != Tag::RESPONSE_MESSAGE {
            return Err(Malformed::Unexpected(format!("the answer is a {}, not a response", message.tag)));
        }
        let header = Fields::of(&message).structure(Tag::RESPONSE_HEADER)?;
        let version = ProtocolVersion::from_item(header.require(Tag::PROTOCOL_VERSION)?)?;
        Ok(Self { message, version })
    }

    /// The answers, in the order in which they stand.
    ///
    /// # Errors
    /// When one of them has no status.
    pub fn items(&self) -> Result<Vec<ResponseItem<'_>>, Malformed> {
        Fields::of(&self.message).all(Tag::BATCH_ITEM).map(ResponseItem::parse).collect()
    }

    /// The message for people; secrets are left out.
    #[must_use]
    pub fn describe(&self) -> String {
        self.message.describe().to_string()
    }
}

impl<'a> ResponseItem<'a> {
    fn parse(item: &'a Item) -> Result<Self, Malformed> {
        let fields = Fields::of(item);
        let status: ResultStatus = fields.enumeration(Tag::RESULT_STATUS)?;
        let outcome = match status {
            ResultStatus::SUCCESS => Ok(payload(fields)),
            status => Err(failure(status, fields)),
        };
        let id = fields.bytes(Tag::UNIQUE_BATCH_ITEM_ID).ok();
        Ok(Self { operation: fields.enumeration_if_any(Tag::OPERATION), id, outcome })
    }
}

/// A success without anything to say may come without a payload.
fn payload(fields: Fields<'_>) -> Fields<'_> {
    fields.get(Tag::RESPONSE_PAYLOAD).map_or(Fields::none(Tag::RESPONSE_PAYLOAD), Fields::of)
}

fn failure(status: ResultStatus, fields: Fields<'_>) -> Failure {
    let message = fields.get(Tag::RESULT_MESSAGE).and_then(|item| match &item.value {
        Value::Text(text) => Some(text.chars().take(MAX_WORDS).collect()),
        Value::Unknown { bytes, .. } => Some(String::from_utf8_lossy(bytes).chars().take(MAX_WORDS).collect()),
        _ => None,
    });
    Failure { status, reason: fields.enumeration_if_any(Tag::RESULT_REASON), message }
}
