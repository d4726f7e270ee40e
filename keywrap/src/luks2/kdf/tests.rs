use argon2::{AssociatedData, ParamsBuilder};

use super::*;
use crate::vectors::{hex, parse};

fn kdf(cost: Cost) -> Kdf {
    Kdf { cost, salt: b"somesalt".to_vec() }
}

fn argon2(variant: Argon2Variant, time: u32, memory_kib: u32, cpus: u32) -> Kdf {
    kdf(Cost::Argon2 { variant, time, memory_kib, cpus })
}

#[test]
fn pbkdf2_agrees_with_rfc_6070_rfc_7914_and_openssl() {
    for vector in parse(include_str!("../../../tests/vectors/pbkdf2.txt")) {
        let hash = Hash::from_name(vector.text("hash")).unwrap();
        let mut key = vec![0; vector.bytes("key").len()];
        hash.pbkdf2(vector.bytes("password"), vector.bytes("salt"), vector.number("iterations"), &mut key);
        assert_eq!(key, vector.bytes("key"));
    }
}

#[test]
fn argon2_agrees_with_the_reference_implementation() {
    // P-H-C/phc-winner-argon2, src/test.c, version 0x13: password "password", salt "somesalt".
    for (kdf, expected) in [
        (argon2(Argon2Variant::Id, 2, 256, 1), "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"),
        (argon2(Argon2Variant::I, 2, 256, 1), "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f"),
        (argon2(Argon2Variant::I, 2, 256, 2), "4ff5ce2769a1d7f4c8a491df09d41a9fbe90e5eb02155a13e4c01e20cd4eab61"),
    ] {
        let key = kdf.derive(b"password", 32).unwrap();
        assert_eq!(key.expose_secret(), hex(expected).unwrap());
    }
}

#[test]
fn the_argon2_beneath_agrees_with_rfc_9106() {
    // Section 5.2 (Argon2i) and 5.3 (Argon2id); they use a secret and associated data, which LUKS2 has not.
    for (algorithm, expected) in [
        (Algorithm::Argon2i, "c814d9d1dc7f37aa13f0d77f2494bda1c8de6b016dd388d29952a4c4672b6ce8"),
        (Algorithm::Argon2id, "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"),
    ] {
        let data = AssociatedData::new(&[4; 12]).unwrap();
        let params = ParamsBuilder::new().m_cost(32).t_cost(3).p_cost(4).data(data).build().unwrap();
        let argon2 = Argon2::new_with_secret(&[3; 8], algorithm, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        argon2.hash_password_into(&[1; 32], &[2; 16], &mut tag).unwrap();
        assert_eq!(tag[..], hex(expected).unwrap());
    }
}

#[test]
fn costs_outside_the_limits_are_refused_by_name() {
    let pbkdf2 = |iterations| kdf(Cost::Pbkdf2 { hash: Hash::Sha256, iterations });
    let id = Argon2Variant::Id;
    for (kdf, refused) in [
        (pbkdf2(0), "iterations"),
        (pbkdf2(u32::MAX), "iterations"),
        (argon2(id, 1, MAX_MEMORY_KIB + 1, 1), "memory"),
        (argon2(id, 1, 31, 4), "memory"),
        (argon2(id, 0, 64, 1), "time"),
        (argon2(id, 1, 64, 0), "cpus"),
        (argon2(id, 1, u32::MAX, u32::MAX), "cpus"),
        (argon2(id, 1 << 20, 1 << 20, 1), "memory × time"),
        (Kdf { salt: vec![], ..pbkdf2(1000) }, "salt length"),
        (Kdf { salt: vec![0; 513], ..pbkdf2(1000) }, "salt length"),
    ] {
        let Err(KdfError::Limit { field, .. }) = kdf.derive(b"x", 32) else { panic!("{kdf:?} was not refused") };
        assert_eq!(field, refused);
    }
}
