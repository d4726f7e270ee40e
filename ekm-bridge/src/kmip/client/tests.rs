//! Negotiation and calls, against the fake.

use super::*;
use crate::kmip::enums::{Operation, ResultReason, State};
use crate::kmip::fake::Fake;
use crate::kmip::id::UniqueId;
use crate::kmip::ops::{Activate, Create, Encrypt, Get, GetAttributes};
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::{Item, encode};
use keywrap::secret::SecretBytes;

use ProtocolVersion as V;

fn agreed(fake: Fake) -> (Result<V, KmipError>, usize) {
    let mut client = Client::new(fake);
    let version = client.version();
    let asked = client.exchange_mut().log.len();
    (version, asked)
}

#[test]
fn the_highest_common_version_is_spoken() {
    assert_eq!(agreed(Fake::speaking(&[V::V1_0, V::V1_2, V::V1_4, V::V2_1])).0.unwrap(), V::V2_1);
    assert_eq!(agreed(Fake::speaking(&[V::V1_4])).0.unwrap(), V::V1_4);
    for only in V::KNOWN {
        assert_eq!(agreed(Fake::speaking(&[only])).0.unwrap(), only);
    }
}

#[test]
fn versions_are_tried_out_when_the_server_does_not_tell() {
    for only in [V::V1_4, V::V1_2, V::V1_1, V::V1_0] {
        let fake = Fake { has_discover: false, ..Fake::speaking(&[only]) };
        assert_eq!(agreed(fake).0.unwrap(), only);
    }
}

#[test]
fn a_server_that_hangs_up_on_other_versions_is_understood_too() {
    for only in [V::V2_0, V::V1_4, V::V1_2, V::V1_1, V::V1_0] {
        let fake = Fake { cuts_wrong_versions: true, ..Fake::speaking(&[only]) };
        assert_eq!(agreed(fake).0.unwrap(), only);
    }
}

#[test]
fn the_answer_is_remembered() {
    let mut client = Client::new(Fake::speaking(&[V::V1_1]));
    client.version().unwrap();
    client.call(&Query { functions: vec![] }).unwrap();
    client.call(&Query { functions: vec![] }).unwrap();
    let log = &client.exchange_mut().log;
    assert_eq!(log.iter().filter(|entry| entry.0 == Operation::DISCOVER_VERSIONS).count(), 1, "{log:?}");
}

#[test]
fn a_server_that_was_replaced_by_an_older_one_is_asked_again() {
    let mut client = Client::new(Fake::speaking(&[V::V1_4]));
    client.version().unwrap();
    client.exchange_mut().versions = vec![V::V1_1];
    assert_eq!(client.call(&Query { functions: vec![] }).err().unwrap().kind, ErrorKind::Refused);
    assert!(client.call(&Query { functions: vec![] }).is_ok());
    assert_eq!(client.version().unwrap(), V::V1_1);
}

#[test]
fn a_server_without_a_common_version_is_refused_with_what_it_said() {
    let three = V { major: 3, minor: 0 };
    let error = agreed(Fake::speaking(&[three])).0.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("version not supported"), "{error}");
}

#[test]
fn an_operation_that_the_version_lacks_is_not_sent() {
    let mut client = Client::new(Fake::speaking(&[V::V1_1]));
    let encrypt = Encrypt {
        object: None,
        parameters: Default::default(),
        data: SecretBytes::copy_from(b"x"),
        iv: None,
        additional: None,
    };
    let error = client.call(&encrypt).err().unwrap();
    assert!(error.message.contains("needs KMIP 1.2"), "{error}");
    assert_eq!(client.exchange_mut().count(Operation::ENCRYPT), 0);
}

#[test]
fn failures_are_told_apart() {
    let kinds = [
        (ResultReason::ITEM_NOT_FOUND, "", ErrorKind::Absent),
        (ResultReason::OBJECT_DESTROYED, "", ErrorKind::Absent),
        (ResultReason::OBJECT_NOT_FOUND, "", ErrorKind::Absent),
        (ResultReason::GENERAL_FAILURE, "The Object does not exist", ErrorKind::Absent),
        (ResultReason::GENERAL_FAILURE, "disk full", ErrorKind::Refused),
        (ResultReason::PERMISSION_DENIED, "Could not locate object: 5", ErrorKind::Refused),
        (ResultReason::WRAPPING_OBJECT_NOT_FOUND, "object not found", ErrorKind::Refused),
        (ResultReason::AUTHENTICATION_NOT_SUCCESSFUL, "", ErrorKind::NotAuthenticated),
        (ResultReason::PERMISSION_DENIED, "bad user name or password", ErrorKind::NotAuthenticated),
        (ResultReason(0x8000_0001), "no such key", ErrorKind::Absent),
    ];
    for (reason, message, kind) in kinds {
        let mut client = Client::new(Fake { refuse: Some((Operation::GET, (reason, message))), ..Fake::default() });
        let error = client.call(&Get { object: Some(UniqueId("1".into())), ..Get::default() }).err().unwrap();
        assert_eq!(error.kind, kind, "{error}");
    }
    let refuse = Some((Operation::CREATE, (ResultReason::ITEM_NOT_FOUND, "no such template")));
    let error = Client::new(Fake { refuse, ..Fake::default() }).call(&Create { attributes: vec![] }).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Refused, "Create names no object that could be absent");
}

#[test]
fn a_promise_to_answer_later_is_refused_in_plain_words() {
    let item = Item::structure(
        Tag::BATCH_ITEM,
        vec![
            Item::enumeration(Tag::OPERATION, Operation::GET),
            Item::enumeration(Tag::RESULT_STATUS, 2_u32),
            Item::bytes(Tag::ASYNCHRONOUS_CORRELATION_VALUE, b"later"),
        ],
    );
    let header = Item::structure(Tag::RESPONSE_HEADER, vec![V::V1_4.to_item()]);
    let answer = encode(&Item::structure(Tag::RESPONSE_MESSAGE, vec![header, item])).to_vec();
    let mut client = Client::new(Fake { answer: Some(answer), ..Fake::default() }).with_version(Some(V::V1_4));
    let error = client.call(&Get::default()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("Operation Pending") && error.message.contains("answer later"), "{error}");
}

#[test]
fn an_answer_to_something_else_or_to_nothing_is_malformed() {
    let header = || Item::structure(Tag::RESPONSE_HEADER, vec![V::V1_4.to_item()]);
    let other = Item::structure(
        Tag::BATCH_ITEM,
        vec![Item::enumeration(Tag::OPERATION, Operation::LOCATE), Item::enumeration(Tag::RESULT_STATUS, 0_u32)],
    );
    let messages = [
        encode(&Item::structure(Tag::RESPONSE_MESSAGE, vec![header(), other])).to_vec(),
        encode(&Item::structure(Tag::RESPONSE_MESSAGE, vec![header()])).to_vec(),
        encode(&Item::structure(Tag::RESPONSE_MESSAGE, vec![])).to_vec(),
        encode(&Item::structure(Tag::REQUEST_MESSAGE, vec![header()])).to_vec(),
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
    ];
    for answer in messages {
        let mut client = Client::new(Fake { answer: Some(answer), ..Fake::default() }).with_version(Some(V::V1_4));
        assert_eq!(client.call(&Get::default()).err().unwrap().kind, ErrorKind::Malformed);
    }
}

#[test]
fn a_batch_is_read_by_place_and_stops_at_the_first_failure() {
    let mut client = Client::new(Fake::default());
    let version = client.version().unwrap();
    let create = Create { attributes: vec![] }.to_item(version);
    let first = Some(UniqueId("id-0".into()));
    let activate = || Activate { object: Some(UniqueId("id-0".into())) }.to_item(version);
    let show = GetAttributes { object: first, names: vec![] }.to_item(version);
    let reply = client.batch(vec![create, activate(), show, activate(), activate()], Repeat::MakesAnother).unwrap();
    assert_eq!(reply.read::<Create>(0).unwrap().0, "id-0");
    reply.read::<Activate>(1).unwrap();
    assert_eq!(reply.read::<GetAttributes>(2).unwrap().state(), Some(State::ACTIVE));
    assert_eq!(reply.read::<Activate>(3).err().unwrap().kind, ErrorKind::Refused);
    assert_eq!(reply.read::<Activate>(4).err().unwrap().kind, ErrorKind::Malformed);
    assert_eq!(client.exchange_mut().count(Operation::ACTIVATE), 2);
}
