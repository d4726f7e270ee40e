//! Payloads in both layouts, and answers that servers give.

use super::*;
use crate::kmip::attributes::{Attribute, AttributeName};
use crate::kmip::enums::*;
use crate::kmip::id::UniqueId;
use crate::kmip::key_block::KeyBlock;
use crate::kmip::tag::Tag;
use crate::kmip::ttlv::Value;
use keywrap::secret::SecretBytes;

use ProtocolVersion as V;

fn id() -> Option<UniqueId> {
    Some(UniqueId("1".into()))
}

/// The tags of a payload, and of what is in its structures, in their order.
fn tags<R: Request>(request: &R, version: V) -> String {
    let tags = |item: &Item| match item.items() {
        [] => item.tag.to_string(),
        items => {
            format!("{}({})", item.tag, items.iter().map(|item| item.tag.to_string()).collect::<Vec<_>>().join(" "))
        }
    };
    request.payload(version).iter().map(tags).collect::<Vec<_>>().join(", ")
}

#[test]
fn create_and_register_carry_attributes_in_the_layout_of_the_version() {
    let attributes = || vec![Attribute::length(256), Attribute::custom("colour", "red")];
    let create = Create { attributes: attributes() };
    assert_eq!(tags(&create, V::V1_0), "Object Type, Template-Attribute(Attribute Attribute)");
    assert_eq!(tags(&create, V::V2_0), "Object Type, Attributes(Cryptographic Length Attribute)");
    let register = Register { attributes: attributes(), key: KeyBlock::raw(CryptographicAlgorithm::AES, &[1; 32]) };
    assert_eq!(
        tags(&register, V::V1_4),
        "Object Type, Template-Attribute(Attribute Attribute), Symmetric Key(Key Block)"
    );
    assert_eq!(
        tags(&register, V::V2_1),
        "Object Type, Attributes(Cryptographic Length Attribute), Symmetric Key(Key Block)"
    );
}

#[test]
fn locate_lists_attributes_in_1_and_collects_them_in_2() {
    let locate = Locate { maximum: Some(2), skip: Some(1), attributes: vec![Attribute::name("a")] };
    assert_eq!(tags(&locate, V::V1_2), "Maximum Items, Attribute(Attribute Name Attribute Value)");
    assert_eq!(tags(&locate, V::V1_3), "Maximum Items, Offset Items, Attribute(Attribute Name Attribute Value)");
    assert_eq!(tags(&locate, V::V2_0), "Maximum Items, Offset Items, Attributes(Name)");
}

#[test]
fn attributes_are_asked_for_changed_and_added_in_both_layouts() {
    let get = GetAttributes { object: id(), names: vec![AttributeName::Standard(Tag::STATE)] };
    assert_eq!(tags(&get, V::V1_1), "Unique Identifier, Attribute Name");
    assert_eq!(tags(&get, V::V2_0), "Unique Identifier, Attribute Reference");
    let add = AddAttribute { object: id(), attribute: Attribute::custom("colour", "red") };
    assert_eq!(tags(&add, V::V1_4), "Unique Identifier, Attribute(Attribute Name Attribute Value)");
    assert_eq!(tags(&add, V::V2_0), "Unique Identifier, New Attribute(Attribute)");
    let modify = ModifyAttribute { object: id(), attribute: Attribute::length(1) };
    assert_eq!(tags(&modify, V::V2_1), "Unique Identifier, New Attribute(Cryptographic Length)");
    assert_eq!(tags(&GetAttributeList { object: None }, V::V1_0), "");
}

#[test]
fn the_life_of_an_object_is_written_the_same_in_every_version() {
    for version in V::KNOWN {
        assert_eq!(tags(&Activate { object: id() }, version), "Unique Identifier");
        assert_eq!(tags(&Destroy { object: id() }, version), "Unique Identifier");
        let revoke = Revoke {
            object: id(),
            reason: RevocationReasonCode::KEY_COMPROMISE,
            message: Some("lost".into()),
            occurred: Some(0),
        };
        let expected = "Unique Identifier, Revocation Reason(Revocation Reason Code Revocation Message), \
                        Compromise Occurrence Date";
        assert_eq!(tags(&revoke, version), expected);
    }
    let rekey = ReKey { object: id(), offset: Some(0), attributes: vec![Attribute::name("b")] };
    assert_eq!(tags(&rekey, V::V1_0), "Unique Identifier, Offset, Template-Attribute(Attribute)");
    assert_eq!(tags(&rekey, V::V2_0), "Unique Identifier, Offset, Attributes(Name)");
}

#[test]
fn parameters_that_a_version_lacks_are_left_out() {
    let parameters = CryptographicParameters {
        mode: Some(BlockCipherMode::NISTKEYWRAP),
        algorithm: Some(CryptographicAlgorithm::AES),
        ..Default::default()
    };
    let wrapping = WrappingSpecification {
        wrapping_key: UniqueId("2".into()),
        parameters,
        encoding: Some(EncodingOption::NO_ENCODING),
    };
    let get = Get { object: id(), format: Some(KeyFormatType::RAW), wrapping: Some(wrapping) };
    let start =
        "Unique Identifier, Key Format Type, Key Wrapping Specification(Wrapping Method Encryption Key Information";
    assert_eq!(tags(&get, V::V1_0), format!("{start})"));
    assert_eq!(tags(&get, V::V1_2), format!("{start} Encoding Option)"));
    let encrypt =
        Encrypt { object: id(), parameters, data: SecretBytes::copy_from(b"x"), iv: Some(vec![0]), additional: None };
    let expected = "Unique Identifier, Cryptographic Parameters(Block Cipher Mode Cryptographic Algorithm), Data, \
                    IV/Counter/Nonce";
    assert_eq!(tags(&encrypt, V::V1_2), expected);
}

/// Reads the answer with this payload.
fn read<R: Request>(payload: Vec<Item>) -> Result<R::Response, Malformed> {
    R::read(Fields::of(&Item::structure(Tag::RESPONSE_PAYLOAD, payload)))
}

/// The answer to a Get with these fields in the key block.
fn got(block: Vec<Item>) -> Result<ManagedObject, Malformed> {
    read::<Get>(vec![
        Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SYMMETRIC_KEY),
        Item::text(Tag::UNIQUE_IDENTIFIER, "1"),
        Item::structure(Tag::SYMMETRIC_KEY, vec![Item::structure(Tag::KEY_BLOCK, block)]),
    ])
}

#[test]
fn a_key_is_read_raw_transparent_and_wrapped() {
    let format = |format| Item::enumeration(Tag::KEY_FORMAT_TYPE, format);
    let value = |material| Item::structure(Tag::KEY_VALUE, vec![material]);
    let raw = got(vec![format(KeyFormatType::RAW), value(Item::bytes(Tag::KEY_MATERIAL, &[1; 32]))]).unwrap();
    assert_eq!(raw.key.unwrap().material.expose_secret(), [1; 32]);
    let inside = Item::structure(Tag::KEY_MATERIAL, vec![Item::bytes(Tag::KEY, &[2; 32])]);
    let transparent = got(vec![format(KeyFormatType::TRANSPARENT_SYMMETRIC_KEY), value(inside)]).unwrap();
    assert_eq!(transparent.key.unwrap().material.expose_secret(), [2; 32]);
    let wrapping = Item::structure(
        Tag::KEY_WRAPPING_DATA,
        vec![
            Item::enumeration(Tag::WRAPPING_METHOD, WrappingMethod::ENCRYPT),
            Item::structure(Tag::ENCRYPTION_KEY_INFORMATION, vec![Item::text(Tag::UNIQUE_IDENTIFIER, "9")]),
        ],
    );
    let wrapped = got(vec![format(KeyFormatType::RAW), Item::bytes(Tag::KEY_VALUE, &[3; 40]), wrapping]).unwrap();
    let key = wrapped.key.unwrap();
    assert_eq!(
        (key.material.expose_secret().len(), key.wrapping.unwrap().wrapping_key),
        (40, Some(UniqueId("9".into())))
    );
}

#[test]
fn an_object_without_a_key_is_no_error_and_a_key_without_a_value_is() {
    let certificate = vec![
        Item::enumeration(Tag::OBJECT_TYPE, ObjectType::CERTIFICATE),
        Item::new(Tag::UNIQUE_IDENTIFIER, Value::Integer(7)),
        Item::structure(Tag::CERTIFICATE, vec![]),
    ];
    let object = read::<Get>(certificate).unwrap();
    assert_eq!((object.id.0.as_str(), object.key.is_none()), ("7", true));
    let empty = got(vec![Item::enumeration(Tag::KEY_FORMAT_TYPE, KeyFormatType::RAW)]);
    assert_eq!(empty.err(), Some(Malformed::Missing { inside: Tag::KEY_BLOCK, field: Tag::KEY_VALUE }));
}

#[test]
fn other_answers_are_read() {
    let versions = read::<DiscoverVersions>(vec![V::V2_1.to_item(), V::V1_0.to_item()]).unwrap();
    assert_eq!(versions, [V::V2_1, V::V1_0]);
    let query = read::<Query>(vec![
        Item::enumeration(Tag::OPERATION, Operation::GET),
        Item::enumeration(Tag::OPERATION, 0x8000_0001_u32),
        Item::enumeration(Tag::OBJECT_TYPE, ObjectType::SYMMETRIC_KEY),
        Item::text(Tag::VENDOR_IDENTIFICATION, "somebody"),
    ])
    .unwrap();
    assert_eq!((query.operations.len(), query.vendor.as_deref()), (2, Some("somebody")));
    let located = read::<Locate>(vec![Item::integer(Tag::LOCATED_ITEMS, 5), Item::text(Tag::UNIQUE_IDENTIFIER, "1")]);
    assert_eq!(located.unwrap(), Located { ids: vec![UniqueId("1".into())], total: Some(5) });
    let checked =
        read::<Check>(vec![Item::text(Tag::UNIQUE_IDENTIFIER, "1"), Item::integer(Tag::CRYPTOGRAPHIC_USAGE_MASK, 4)]);
    assert_eq!(checked.unwrap().usage_mask, Some(4));
    let random = read::<RngRetrieve>(vec![Item::bytes(Tag::DATA, &[4; 16])]).unwrap();
    assert_eq!(random.expose_secret(), [4; 16]);
    let decrypted = read::<Decrypt>(vec![Item::bytes(Tag::DATA, b"plain")]).unwrap();
    assert_eq!(decrypted.expose_secret(), b"plain");
}
