//! Any tree survives encoding and decoding; any bytes decode or fail, and what decodes encodes again.

use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::kmip::tag::Tag;

fn any_tag() -> impl Strategy<Value = Tag> {
    any::<[u8; 3]>().prop_map(Tag::from_bytes)
}

fn any_bytes() -> impl Strategy<Value = Zeroizing<Vec<u8>>> {
    prop::collection::vec(any::<u8>(), 0..40).prop_map(Zeroizing::new)
}

fn any_leaf() -> impl Strategy<Value = Item> {
    let whole_words = prop::collection::vec(any::<[u8; 8]>(), 0..4).prop_map(|words| Zeroizing::new(words.concat()));
    let value = prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        any::<i64>().prop_map(Value::LongInteger),
        whole_words.prop_map(Value::BigInteger),
        any::<u32>().prop_map(Value::Enumeration),
        any::<bool>().prop_map(Value::Boolean),
        ".{0,20}".prop_map(|text| Value::Text(Zeroizing::new(text))),
        any_bytes().prop_map(Value::Bytes),
        any::<i64>().prop_map(Value::DateTime),
        any::<u32>().prop_map(Value::Interval),
        any::<i64>().prop_map(Value::DateTimeExtended),
        (0x0C_u8.., any_bytes()).prop_map(|(code, bytes)| Value::Unknown { code, bytes }),
    ];
    (any_tag(), value).prop_map(|(tag, value)| Item::new(tag, value))
}

fn any_item() -> impl Strategy<Value = Item> {
    any_leaf().prop_recursive(5, 64, 6, |inner| {
        (any_tag(), prop::collection::vec(inner, 0..6)).prop_map(|(tag, items)| Item::structure(tag, items))
    })
}

/// Equality of everything, byte by byte; items themselves are not comparable because they may be secret.
fn same(a: &Item, b: &Item) -> bool {
    a.tag == b.tag && a.value.code() == b.value.code() && *encode(a) == *encode(b)
}

proptest! {
    #[test]
    fn any_tree_survives(item in any_item()) {
        let bytes = encode(&item);
        prop_assert_eq!(bytes.len() % 8, 0);
        prop_assert_eq!(bytes.len(), bytes.capacity());
        prop_assert!(same(&decode(&bytes, &Limits::STANDARD).unwrap(), &item));
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(item) = decode(&bytes, &Limits::STANDARD) {
            let again = encode(&item);
            prop_assert!(same(&decode(&again, &Limits::STANDARD).unwrap(), &item));
        }
    }

    #[test]
    fn a_damaged_message_is_decoded_or_refused(item in any_item(), at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut bytes = encode(&item);
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        if let Ok(item) = decode(&bytes, &Limits::STANDARD) {
            let _ = item.describe().to_string();
        }
    }
}
