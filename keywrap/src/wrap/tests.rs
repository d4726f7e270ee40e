use proptest::prelude::*;

use super::*;
use crate::vectors::{Vector, parse};

fn kek(vector: &Vector) -> Secret<32> {
    Secret::copy_from(vector.bytes("kek")).unwrap()
}

/// Wraps and unwraps through the crate beneath, with a KEK size that this module does not offer.
macro_rules! round_trip {
    ($mode:ty, $vector:expr) => {
        let mode = <$mode>::new_from_slice($vector.bytes("kek")).unwrap();
        let (mut wrapped, mut key) = ([0; 64], [0; 64]);
        assert_eq!(mode.wrap_key($vector.bytes("key"), &mut wrapped).unwrap(), $vector.bytes("wrapped"));
        assert_eq!(mode.unwrap_key($vector.bytes("wrapped"), &mut key).unwrap(), $vector.bytes("key"));
    };
}

#[test]
fn kw_agrees_with_every_size_of_rfc_3394() {
    for vector in parse(include_str!("../../tests/vectors/rfc3394.txt")) {
        match vector.bytes("kek").len() {
            16 => {
                round_trip!(aes_kw::KwAes128, vector);
            }
            24 => {
                round_trip!(aes_kw::KwAes192, vector);
            }
            _ => {
                assert_eq!(wrap(&kek(&vector), vector.bytes("key")).unwrap(), vector.bytes("wrapped"));
                let key = unwrap(&kek(&vector), vector.bytes("wrapped")).unwrap();
                assert_eq!(key.expose_secret(), vector.bytes("key"));
            }
        }
    }
}

#[test]
fn the_kwp_beneath_agrees_with_rfc_5649() {
    // The RFC's only examples use a 192-bit KEK.
    for vector in parse(include_str!("../../tests/vectors/rfc5649.txt")) {
        round_trip!(aes_kw::KwpAes192, vector);
    }
}

#[test]
fn kw_agrees_with_wycheproof() {
    for vector in parse(include_str!("../../tests/vectors/wycheproof_kw.txt")) {
        check(&vector, wrap, unwrap);
    }
}

#[test]
fn kwp_agrees_with_wycheproof() {
    for vector in parse(include_str!("../../tests/vectors/wycheproof_kwp.txt")) {
        check(&vector, wrap_padded, unwrap_padded);
    }
}

type Wrap = fn(&Secret<32>, &[u8]) -> Result<Vec<u8>, WrapError>;
type Unwrap = fn(&Secret<32>, &[u8]) -> Result<SecretBytes, WrapError>;

/// "Acceptable" cases (keys of 8 bytes, which SP 800-38F leaves out) are refused here.
fn check(vector: &Vector, wrap: Wrap, unwrap: Unwrap) {
    let id = vector.number("id");
    let unwrapped = unwrap(&kek(vector), vector.bytes("wrapped"));
    if vector.text("result") == "valid" {
        assert_eq!(wrap(&kek(vector), vector.bytes("key")).unwrap(), vector.bytes("wrapped"), "case {id}");
        assert_eq!(unwrapped.ok().unwrap().expose_secret(), vector.bytes("key"), "case {id}");
    } else {
        assert!(unwrapped.is_err(), "case {id}");
    }
}

#[test]
fn a_bad_length_and_a_changed_key_are_different_errors() {
    let kek = Secret::copy_from(&[1; 32]).unwrap();
    for len in [0, 1, 8, 16, 23, 25, MAX_KEY_LEN + 16] {
        let error = unwrap(&kek, &vec![0; len]).err().unwrap();
        assert_eq!(error, WrapError::Length { scheme: "AES-KW", action: "unwrap", len });
    }
    for len in [0, 7, 8, 15, 17, MAX_KEY_LEN + 16] {
        let error = unwrap_padded(&kek, &vec![0; len]).err().unwrap();
        assert_eq!(error, WrapError::Length { scheme: "AES-KWP", action: "unwrap", len });
    }
    assert_eq!(unwrap(&kek, &[0; 24]).err(), Some(WrapError::Integrity));
    assert_eq!(unwrap_padded(&kek, &[0; 24]).err(), Some(WrapError::Integrity));
    assert!(wrap(&kek, &[0; 17]).is_err() && wrap(&kek, &[0; 8]).is_err() && wrap_padded(&kek, &[]).is_err());
}

proptest! {
    #[test]
    fn unwrapping_undoes_wrapping_and_any_flipped_bit_is_caught(
        kek in any::<[u8; 32]>(),
        key in proptest::collection::vec(any::<u8>(), 1..100),
        flip in any::<prop::sample::Index>(),
    ) {
        let kek = Secret::copy_from(&kek).unwrap();
        let mut wrapped = wrap_padded(&kek, &key).unwrap();
        let unwrapped = unwrap_padded(&kek, &wrapped).ok().unwrap();
        prop_assert_eq!(unwrapped.expose_secret(), &key[..]);
        let bit = flip.index(wrapped.len() * 8);
        wrapped[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(unwrap_padded(&kek, &wrapped).err(), Some(WrapError::Integrity));
    }
}
