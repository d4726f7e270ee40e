//! Key derivation from a master key: HKDF-SHA-256 (RFC 5869), one label per purpose.
//!
//! ```text
//! key = HKDF-SHA-256(salt = token salt, IKM = master key, info = label ‖ volume UUID text, L = 32)
//! ```
//! The UUID is the 36 bytes of its text exactly as the LUKS2 binary header stores them, so that the derivation never
//! depends on how a UUID is parsed.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroize;

use crate::keys::{KeyslotKey, MacKey, MasterKey};
use crate::secret::Secret;

/// Every label that is ever given to HKDF. A label is never reused for a second purpose and never changes its
/// meaning; a new purpose gets a new line here and in `docs/format/key-hierarchy.md`.
pub mod label {
    /// The passphrase of a LUKS2 keyslot.
    pub const KEYSLOT: &[u8] = b"sear/1/keyslot";
    /// The key of the sear token's MAC.
    pub const HEADER_MAC: &[u8] = b"sear/1/header-mac";

    /// All of the above; a test holds them to be prefix-free, so that no label ‖ UUID can equal another.
    pub const ALL: [&[u8]; 2] = [KEYSLOT, HEADER_MAC];
}

/// Length of a token's salt in bytes: one SHA-256 output, the most that HKDF's extract step can use (RFC 5869 §3.1).
pub const SALT_LEN: usize = 32;

/// What makes a derivation belong to one token of one volume. None of it is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context<'a> {
    /// The sear token's salt.
    pub salt: &'a [u8; SALT_LEN],
    /// The volume's UUID, as the binary header spells it.
    pub uuid: &'a str,
}

/// The key that takes a passphrase's place in the LUKS2 keyslot of this token.
#[must_use]
pub fn keyslot_key(master: &MasterKey, context: Context<'_>) -> KeyslotKey {
    KeyslotKey(expand(master, context, label::KEYSLOT))
}

/// The key of this token's MAC.
#[must_use]
pub fn mac_key(master: &MasterKey, context: Context<'_>) -> MacKey {
    MacKey(expand(master, context, label::HEADER_MAC))
}

fn expand(master: &MasterKey, context: Context<'_>, label: &[u8]) -> Secret<32> {
    let (mut prk, hkdf) = Hkdf::<Sha256>::extract(Some(context.salt), master.0.expose_secret());
    prk.as_mut_slice().zeroize();
    Secret::filled(|okm| {
        hkdf.expand_multi_info(&[label, context.uuid.as_bytes()], okm)
            .expect("32 bytes are fewer than the 255 × 32 that HKDF-SHA-256 can give");
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "00112233-4455-6677-8899-aabbccddeeff";

    fn master(byte: u8) -> MasterKey {
        MasterKey(Secret::copy_from(&[byte; 32]).unwrap())
    }

    fn keyslot(master_byte: u8, salt: u8, uuid: &str) -> [u8; 32] {
        *keyslot_key(&master(master_byte), Context { salt: &[salt; 32], uuid }).0.expose_secret()
    }

    #[test]
    fn no_label_is_the_beginning_of_another() {
        for (i, a) in label::ALL.iter().enumerate() {
            for (j, b) in label::ALL.iter().enumerate() {
                assert!(i == j || !b.starts_with(a));
            }
        }
    }

    #[test]
    fn master_key_salt_uuid_and_label_each_change_the_result() {
        let base = keyslot(1, 2, UUID);
        assert_ne!(base, keyslot(3, 2, UUID));
        assert_ne!(base, keyslot(1, 3, UUID));
        assert_ne!(base, keyslot(1, 2, "00112233-4455-6677-8899-aabbccddeefe"));
        let mac = mac_key(&master(1), Context { salt: &[2; 32], uuid: UUID });
        assert_ne!(&base, mac.0.expose_secret());
    }

    #[test]
    fn the_derivation_is_the_documented_one() {
        // HKDF spelled out with HMAC (RFC 5869 §2.2 and §2.3): for L = 32 one block, T(1) = HMAC(PRK, info ‖ 0x01).
        use hmac::{Hmac, KeyInit, Mac};
        let hmac = |key: &[u8], parts: &[&[u8]]| {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes()
        };
        let prk = hmac(&[2; 32], &[&[1; 32]]);
        let okm = hmac(&prk, &[b"sear/1/keyslot", UUID.as_bytes(), &[1]]);
        assert_eq!(keyslot(1, 2, UUID), *okm);
    }

    #[test]
    fn hkdf_agrees_with_rfc_5869_appendix_a() {
        for vector in crate::vectors::parse(include_str!("../tests/vectors/rfc5869.txt")) {
            let (prk, hkdf) = Hkdf::<Sha256>::extract(Some(vector.bytes("salt")), vector.bytes("ikm"));
            assert_eq!(prk.as_slice(), vector.bytes("prk"));
            let mut okm = vec![0; vector.bytes("okm").len()];
            hkdf.expand(vector.bytes("info"), &mut okm).unwrap();
            assert_eq!(okm, vector.bytes("okm"));
        }
    }
}
