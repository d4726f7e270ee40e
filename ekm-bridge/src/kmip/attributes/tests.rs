//! The same attributes in both layouts.

use super::*;
use crate::kmip::enums::State;
use crate::kmip::fields::Fields;
use crate::kmip::version::ProtocolVersion;

const UUID: &str = "7d1b6a0e-52a5-4c27-9d1c-2f9a3ad0c0de";

fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::name("sear/a/b"),
        Attribute::algorithm(CryptographicAlgorithm::AES),
        Attribute::length(256),
        Attribute::custom("x-SolidFire-KeyID", UUID),
        Attribute::standard(Tag::STATE, Value::Enumeration(State::ACTIVE.into())),
    ]
}

/// What a reader makes of the attributes as `version` writes them.
fn through(version: ProtocolVersion) -> AttributeSet {
    let items: Vec<Item> = attributes().iter().map(|attribute| one(attribute, version)).collect();
    let payload = match version.has_tagged_attributes() {
        true => Item::structure(Tag::RESPONSE_PAYLOAD, vec![Item::structure(Tag::ATTRIBUTES, items)]),
        false => Item::structure(Tag::RESPONSE_PAYLOAD, items),
    };
    AttributeSet::read(Fields::of(&payload)).unwrap()
}

#[test]
fn both_layouts_say_the_same() {
    for version in ProtocolVersion::KNOWN {
        let set = through(version);
        assert!(set.has_name("sear/a/b") && !set.has_name("sear/a/c"), "{version}");
        assert!(set.has_custom("SolidFire-KeyID", UUID) && !set.has_custom("SolidFire-KeyID", "other"), "{version}");
        assert_eq!(set.state(), Some(State::ACTIVE));
        assert_eq!((set.algorithm(), set.length()), (Some(CryptographicAlgorithm::AES), Some(256)));
        assert_eq!(set.object_type(), None);
    }
}

#[test]
fn a_custom_attribute_has_its_prefix_in_1_and_its_vendor_in_2() {
    let attribute = Attribute::custom("colour", "red");
    let old = one(&attribute, ProtocolVersion::V1_4);
    assert_eq!(Fields::of(&old).text(Tag::ATTRIBUTE_NAME).unwrap(), "x-colour");
    let new = one(&attribute, ProtocolVersion::V2_0);
    assert_eq!(Fields::of(&new).text(Tag::VENDOR_IDENTIFICATION).unwrap(), "x");
    assert_eq!(Fields::of(&new).text(Tag::ATTRIBUTE_NAME).unwrap(), "colour");
}

#[test]
fn names_of_every_kind_go_through_their_text() {
    for text in ["State", "Cryptographic Usage Mask", "x-colour", "y-seen", "Nobody Knows This"] {
        assert_eq!(AttributeName::from_text(text).to_string(), text);
    }
    assert_eq!(AttributeName::from_text("State"), AttributeName::Standard(Tag::STATE));
    assert_eq!(AttributeName::vendor("x", "x-colour"), AttributeName::custom("colour"));
}

#[test]
fn references_are_read_back_in_every_version() {
    let names = [AttributeName::Standard(Tag::STATE), AttributeName::custom("colour")];
    for version in ProtocolVersion::KNOWN {
        let payload = Item::structure(Tag::RESPONSE_PAYLOAD, references(&names, version).collect());
        assert_eq!(layout::read_references(Fields::of(&payload)), names, "{version}");
    }
}
