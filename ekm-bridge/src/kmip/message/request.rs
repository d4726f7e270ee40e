//! Requests to bytes.

use zeroize::Zeroizing;

use crate::kmip::enums::{BatchErrorContinuationOption, CredentialType, Operation};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, encode};
use crate::kmip::version::ProtocolVersion;

/// A user name and its password (KMIP 1.x, section 2.1.2). It cannot be printed.
pub struct Credential {
    /// Who asks. It may be logged.
    pub user: String,
    /// What proves it. It is never logged.
    pub password: Zeroizing<String>,
}

/// What a client says in front of every batch.
pub struct RequestHeader<'a> {
    /// The version in which the message is written.
    pub version: ProtocolVersion,
    /// The largest answer that the client takes, in bytes.
    pub max_response: usize,
    /// Who asks, when the certificate is not enough.
    pub credential: Option<&'a Credential>,
}

/// One operation to be carried out.
pub struct RequestItem {
    /// What is asked for.
    pub operation: Operation,
    /// Its parameters.
    pub payload: Vec<Item>,
}

/// The bytes of a message that asks for `items`, in their order. A batch of several stops at the first failure.
///
/// With more than one item each gets a Unique Batch Item ID, as section 6.4 demands: its place in the batch.
#[must_use]
pub fn request(header: &RequestHeader<'_>, items: Vec<RequestItem>) -> Zeroizing<Vec<u8>> {
    let is_batch = items.len() > 1;
    let mut message = vec![header.to_item(items.len())];
    for (place, item) in (0_u32..).zip(items) {
        message.push(item.into_item(is_batch.then_some(place)));
    }
    encode(&Item::structure(Tag::REQUEST_MESSAGE, message))
}

impl RequestHeader<'_> {
    fn to_item(&self, count: usize) -> Item {
        let mut fields = vec![self.version.to_item(), integer(Tag::MAXIMUM_RESPONSE_SIZE, self.max_response)];
        fields.extend(self.credential.map(Credential::to_item));
        if count > 1 {
            let stop = BatchErrorContinuationOption::STOP;
            fields.push(Item::enumeration(Tag::BATCH_ERROR_CONTINUATION_OPTION, stop));
            fields.push(Item::boolean(Tag::BATCH_ORDER_OPTION, true));
        }
        fields.push(integer(Tag::BATCH_COUNT, count));
        Item::structure(Tag::REQUEST_HEADER, fields)
    }
}

impl RequestItem {
    fn into_item(self, place: Option<u32>) -> Item {
        let mut fields = vec![Item::enumeration(Tag::OPERATION, self.operation)];
        fields.extend(place.map(|place| Item::bytes(Tag::UNIQUE_BATCH_ITEM_ID, &place.to_be_bytes())));
        fields.push(Item::structure(Tag::REQUEST_PAYLOAD, self.payload));
        Item::structure(Tag::BATCH_ITEM, fields)
    }
}

impl Credential {
    /// The structure Authentication.
    fn to_item(&self) -> Item {
        let value = vec![Item::text(Tag::USERNAME, &self.user), Item::text(Tag::PASSWORD, self.password.as_str())];
        let credential = vec![
            Item::enumeration(Tag::CREDENTIAL_TYPE, CredentialType::USERNAME_AND_PASSWORD),
            Item::structure(Tag::CREDENTIAL_VALUE, value),
        ];
        Item::structure(Tag::AUTHENTICATION, vec![Item::structure(Tag::CREDENTIAL, credential)])
    }
}

fn integer(tag: Tag, number: usize) -> Item {
    Item::integer(tag, i32::try_from(number).unwrap_or(i32::MAX))
}
