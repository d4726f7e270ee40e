//! The encodings that the specification gives as examples (KMIP 1.x, section 9.1.2), and messages meant to break a decoder.

use super::*;
use crate::kmip::tag::Tag;
use zeroize::Zeroizing;

/// The tag of the specification's examples.
const EXAMPLE: Tag = Tag::COMPROMISE_DATE;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Both directions of one example.
fn golden(value: Value, bytes: &str) {
    let bytes = hex(bytes);
    let item = Item::new(EXAMPLE, value);
    assert_eq!(*encode(&item), bytes);
    let decoded = decode(&bytes, &Limits::STANDARD).unwrap();
    assert_eq!((decoded.tag, decoded.value.code()), (EXAMPLE, item.value.code()));
    assert_eq!(*encode(&decoded), bytes);
}

fn secret(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.to_vec())
}

#[test]
fn the_examples_of_the_specification_encode_and_decode_to_the_byte() {
    golden(Value::Integer(8), "42 00 20 | 02 | 00 00 00 04 | 00 00 00 08 00 00 00 00");
    golden(Value::LongInteger(123_456_789_000_000_000), "420020 03 00000008 01B69B4BA5749200");
    golden(
        Value::BigInteger(secret(&hex("0000000003FD35EB6BC2DF4618080000"))),
        "420020 04 00000010 0000000003FD35EB6BC2DF4618080000",
    );
    golden(Value::Enumeration(255), "420020 05 00000004 000000FF00000000");
    golden(Value::Boolean(true), "420020 06 00000008 0000000000000001");
    golden(Value::Text(Zeroizing::new("Hello World".into())), "420020 07 0000000B 48656C6C6F20576F726C640000000000");
    golden(Value::Bytes(secret(&[1, 2, 3])), "420020 08 00000003 0102030000000000");
    golden(Value::DateTime(0x47DA_67F8), "420020 09 00000008 0000000047DA67F8");
    golden(Value::Interval(864_000), "420020 0A 00000004 000D2F0000000000");
    golden(
        Value::Structure(vec![
            Item::enumeration(Tag::APPLICATION_SPECIFIC_INFORMATION, 254_u32),
            Item::integer(Tag::ARCHIVE_DATE, 255),
        ]),
        "420020 01 00000020 420004 05 00000004 000000FE00000000 420005 02 00000004 000000FF00000000",
    );
}

#[test]
fn the_type_of_kmip_2_is_known_and_one_of_nobody_is_kept() {
    golden(Value::DateTimeExtended(-1), "420020 0B 00000008 FFFFFFFFFFFFFFFF");
    golden(Value::Unknown { code: 0x77, bytes: secret(&[9, 9]) }, "420020 77 00000002 0909000000000000");
    golden(Value::Unknown { code: 7, bytes: secret(&[0xFF]) }, "420020 07 00000001 FF00000000000000");
}

#[test]
fn a_big_integer_is_padded_with_its_sign() {
    let encoded = |bytes| encode(&Item::new(EXAMPLE, Value::BigInteger(secret(bytes)))).to_vec();
    assert_eq!(encoded(&[0x7F]), hex("420020 04 00000008 000000000000007F"));
    assert_eq!(encoded(&[0x80]), hex("420020 04 00000008 FFFFFFFFFFFFFF80"));
}

#[test]
fn padding_may_hold_anything_or_be_missing_at_the_end() {
    let odd = decode(&hex("420020 02 00000004 00000008 DEADBEEF"), &Limits::STANDARD).unwrap();
    assert!(matches!(odd.value, Value::Integer(8)));
    let unpadded = decode(&hex("420020 01 0000000B 420001 08 00000003 010203"), &Limits::STANDARD).unwrap();
    assert!(matches!(&unpadded.items()[0].value, Value::Bytes(bytes) if bytes.as_slice() == [1, 2, 3]));
    let stray = decode(&hex("420020 01 00000003 000000"), &Limits::STANDARD).unwrap();
    assert!(stray.items().is_empty());
}

#[test]
fn a_length_beyond_what_is_there_is_refused_before_anything_is_allocated() {
    let outcome = decode(&hex("420020 08 FFFFFFF8 0102030400000000"), &Limits::STANDARD);
    let expected = TtlvError::TooLong { tag: EXAMPLE, at: 0, length: 0xFFFF_FFF8, available: 8 };
    assert_eq!(outcome.err(), Some(expected));
    let inner = decode(&hex("420020 01 00000008 420001 08 00000020"), &Limits::STANDARD);
    assert!(matches!(inner, Err(TtlvError::TooLong { at: 8, available: 0, .. })));
    let header = hex("42007B 01 7FFFFFFF").try_into().unwrap();
    assert!(matches!(message_length(header, &Limits::STANDARD), Err(TtlvError::TooManyBytes { .. })));
}

#[test]
fn a_length_that_the_type_cannot_have_is_refused() {
    for bytes in ["420020 02 00000008 0000000000000008", "420020 06 00000004 0000000100000000", "420020 05 00000000"] {
        assert!(matches!(decode(&hex(bytes), &Limits::STANDARD), Err(TtlvError::BadLength { .. })), "{bytes}");
    }
}

#[test]
fn nesting_and_item_count_have_limits() {
    let nested = (0..100_000).fold(Vec::new(), |mut bytes: Vec<u8>, level: u32| {
        bytes.extend(hex("420020 01"));
        bytes.extend((8 * (99_999 - level)).to_be_bytes());
        bytes
    });
    let outcome = decode(&nested, &Limits::STANDARD);
    assert_eq!(
        outcome.err(),
        Some(TtlvError::TooDeep { at: 8 * Limits::STANDARD.depth, limit: Limits::STANDARD.depth })
    );
    let few = Limits { items: 3, ..Limits::STANDARD };
    let four = Item::structure(EXAMPLE, (0..3).map(|number| Item::integer(EXAMPLE, number)).collect());
    assert_eq!(decode(&encode(&four), &few).err(), Some(TtlvError::TooManyItems { limit: 3 }));
    assert!(decode(&encode(&four), &Limits { items: 4, ..few }).is_ok());
}

#[test]
fn every_prefix_and_every_suffix_of_a_message_is_an_error() {
    let message = Item::structure(EXAMPLE, vec![Item::text(Tag::NAME_VALUE, "abc"), Item::integer(EXAMPLE, 1)]);
    let bytes = encode(&message);
    for cut in 0..bytes.len() {
        assert!(decode(&bytes[..cut], &Limits::STANDARD).is_err(), "{cut} bytes");
    }
    let longer = [bytes.as_slice(), &[0; 8]].concat();
    assert_eq!(decode(&longer, &Limits::STANDARD).err(), Some(TtlvError::Trailing { extra: 8 }));
}

#[test]
fn a_description_shows_structure_and_no_secret() {
    let vendor = Tag::from_bytes([0x54, 0, 1]);
    let item = Item::structure(
        Tag::REQUEST_PAYLOAD,
        vec![
            Item::enumeration(Tag::OBJECT_TYPE, 2_u32),
            Item::text(Tag::USERNAME, "node\n1"),
            Item::text(Tag::PASSWORD, "hunter2"),
            Item::bytes(Tag::KEY_VALUE, b"hunter2"),
            Item::structure(Tag::KEY_MATERIAL, vec![Item::integer(Tag::MODULUS, 4711)]),
            Item::text(vendor, "hunter2"),
            Item::new(vendor, Value::Unknown { code: 7, bytes: secret(b"hunter2") }),
        ],
    );
    let shown = format!("{}{item:?}", item.describe());
    assert!(!shown.contains("hunter2") && !shown.contains("4711"), "{shown}");
    assert!(shown.contains("Object Type: Symmetric Key"), "{shown}");
    assert!(shown.contains(r#"Username: "node\n1""#), "{shown}");
    assert!(shown.contains("Key Value: 7 bytes"), "{shown}");
}
