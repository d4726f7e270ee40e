//! What requests look like, and what responses may look like.

use super::*;
use crate::kmip::enums::{Operation, ResultReason, ResultStatus};
use crate::kmip::fields::Malformed;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, Limits, Value, decode, encode};
use crate::kmip::version::ProtocolVersion;
use zeroize::Zeroizing;

fn item(operation: Operation) -> RequestItem {
    RequestItem { operation, payload: vec![Item::text(Tag::UNIQUE_IDENTIFIER, "1")] }
}

fn shown(header: &RequestHeader<'_>, items: Vec<RequestItem>) -> String {
    decode(&request(header, items), &Limits::STANDARD).unwrap().describe().to_string()
}

#[test]
fn a_request_has_its_fields_in_the_order_of_the_specification() {
    let header = RequestHeader { version: ProtocolVersion::V1_2, max_response: 4096, credential: None };
    let expected = "\
Request Message: 2 items
  Request Header: 3 items
    Protocol Version: 2 items
      Protocol Version Major: 1
      Protocol Version Minor: 2
    Maximum Response Size: 4096
    Batch Count: 1
  Batch Item: 2 items
    Operation: Get
    Request Payload: 1 items
      Unique Identifier: \"1\"
";
    assert_eq!(shown(&header, vec![item(Operation::GET)]), expected);
}

#[test]
fn a_batch_has_ids_an_order_and_stops_at_a_failure() {
    let header = RequestHeader { version: ProtocolVersion::V1_4, max_response: 4096, credential: None };
    let shown = shown(&header, vec![item(Operation::CREATE), item(Operation::ACTIVATE)]);
    assert!(shown.contains("Batch Error Continuation Option: Stop\n    Batch Order Option: true\n    Batch Count: 2"));
    assert_eq!(shown.matches("Unique Batch Item ID: 4 bytes").count(), 2, "{shown}");
}

#[test]
fn a_credential_is_sent_and_its_password_not_shown() {
    let credential = Credential { user: "node-1".into(), password: Zeroizing::new("hunter2".into()) };
    let header = RequestHeader { version: ProtocolVersion::V1_0, max_response: 4096, credential: Some(&credential) };
    let shown = shown(&header, vec![item(Operation::GET)]);
    assert!(shown.contains("Credential Type: Username and Password"), "{shown}");
    assert!(shown.contains("Username: \"node-1\"") && shown.contains("Password: (not shown)"), "{shown}");
    let bytes = request(&header, vec![item(Operation::GET)]);
    assert!(bytes.windows(7).any(|window| window == b"hunter2"));
}

/// A response with one batch item of these fields, and unknown things around them.
fn response(fields: Vec<Item>) -> Vec<u8> {
    let unknown = || Item::text(Tag::from_bytes([0x54, 0, 9]), "of a vendor");
    let header = Item::structure(Tag::RESPONSE_HEADER, vec![unknown(), ProtocolVersion::V1_4.to_item(), unknown()]);
    let mut fields = fields;
    fields.push(unknown());
    let item = Item::structure(Tag::BATCH_ITEM, fields);
    encode(&Item::structure(Tag::RESPONSE_MESSAGE, vec![unknown(), header, item, unknown()])).to_vec()
}

#[test]
fn unknown_fields_everywhere_do_no_harm() {
    let payload = Item::structure(Tag::RESPONSE_PAYLOAD, vec![Item::text(Tag::UNIQUE_IDENTIFIER, "7")]);
    let bytes = response(vec![Item::enumeration(Tag::RESULT_STATUS, ResultStatus::SUCCESS), payload]);
    let response = Response::parse(&bytes, &Limits::STANDARD).unwrap();
    let items = response.items().unwrap();
    assert_eq!((response.version, items.len()), (ProtocolVersion::V1_4, 1));
    assert_eq!(items[0].outcome.as_ref().ok().unwrap().text(Tag::UNIQUE_IDENTIFIER).unwrap(), "7");
}

#[test]
fn a_failure_keeps_what_the_server_said() {
    let bytes = response(vec![
        Item::enumeration(Tag::RESULT_STATUS, ResultStatus::OPERATION_FAILED),
        Item::enumeration(Tag::RESULT_REASON, 0x8000_0042_u32),
        Item::new(Tag::RESULT_MESSAGE, Value::Unknown { code: 7, bytes: Zeroizing::new(b"na\xEFve\n".to_vec()) }),
    ]);
    let response = Response::parse(&bytes, &Limits::STANDARD).unwrap();
    let failure = response.items().unwrap()[0].outcome.as_ref().err().unwrap().clone();
    assert_eq!(failure.reason, Some(ResultReason(0x8000_0042)));
    assert_eq!(failure.to_string(), "Operation Failed, 0x80000042 (2147483714): \"na\u{FFFD}ve\\n\"");
}

#[test]
fn a_response_without_its_parts_says_which_is_missing() {
    let no_status = Response::parse(&response(vec![]), &Limits::STANDARD).unwrap();
    let error = no_status.items().err().unwrap();
    assert_eq!(error, Malformed::Missing { inside: Tag::BATCH_ITEM, field: Tag::RESULT_STATUS });
    let empty = encode(&Item::structure(Tag::RESPONSE_MESSAGE, vec![]));
    let error = Response::parse(&empty, &Limits::STANDARD).err().unwrap();
    assert_eq!(error, Malformed::Missing { inside: Tag::RESPONSE_MESSAGE, field: Tag::RESPONSE_HEADER });
}
