use super::*;
use crate::Node;
use crate::provider::{ErrorKind, KeyProvider};

fn node() -> (tempfile::TempDir, Node) {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(&dir.path().join("state")).unwrap();
    (dir, node)
}

fn subject(name: &str) -> Subject {
    Subject::default().or_named(name)
}

#[test]
fn nothing_is_there_before_the_first_pair() {
    let (_dir, node) = node();
    let keys = KeyPairStore::new(node.store(), node.provider());
    assert!(keys.info().unwrap().is_none());
    assert!(keys.load().unwrap().is_none());
}

#[test]
fn a_pair_comes_back_after_a_restart_with_the_same_request() {
    let (dir, node) = node();
    let made = KeyPairStore::new(node.store(), node.provider()).create(&subject("a"), UnixSeconds(7)).unwrap();
    drop(node);
    let node = Node::open(&dir.path().join("state")).unwrap();
    let keys = KeyPairStore::new(node.store(), node.provider());
    assert_eq!(keys.info().unwrap(), Some(made.clone()));
    assert_eq!(made.created, UnixSeconds(7));
    assert_eq!(keys.load().unwrap().unwrap().public_key(), made.public_key);
}

#[test]
fn a_second_pair_takes_the_place_of_the_first() {
    let (_dir, node) = node();
    let keys = KeyPairStore::new(node.store(), node.provider());
    let first = keys.create(&subject("a"), UnixSeconds(1)).unwrap();
    let second = keys.create(&subject("b"), UnixSeconds(2)).unwrap();
    assert_ne!(first.public_key, second.public_key);
    assert_eq!(keys.load().unwrap().unwrap().public_key(), second.public_key);
}

#[test]
fn the_private_key_does_not_lie_open_in_the_store() {
    let (_dir, node) = node();
    let keys = KeyPairStore::new(node.store(), node.provider());
    keys.create(&subject("a"), UnixSeconds(1)).unwrap();
    let pair = keys.load().unwrap().unwrap();
    let record = node.store().get(KEY).unwrap().unwrap().value;
    let private = pair.private_key().expose_secret();
    // The 32 bytes of the private scalar, wherever PKCS #8 puts them, in bytes and in base64.
    for window in private.windows(32) {
        assert!(!record.windows(32).any(|found| found == window));
    }
    let text = Base64::encode_string(private);
    let text = text.as_bytes();
    assert!(!record.windows(text.len()).any(|found| found == text));
}

#[test]
fn a_sealed_key_moved_to_another_public_key_does_not_open() {
    let (_dir, node) = node();
    let keys = KeyPairStore::new(node.store(), node.provider());
    keys.create(&subject("a"), UnixSeconds(1)).unwrap();
    let first: Record = serde_json::from_slice(&node.store().get(KEY).unwrap().unwrap().value).unwrap();
    keys.create(&subject("a"), UnixSeconds(1)).unwrap();
    let second: Record = serde_json::from_slice(&node.store().get(KEY).unwrap().unwrap().value).unwrap();
    let mixed = serde_json::to_vec(&Record { sealed: first.sealed, ..second }).unwrap();
    node.store().commit(&Transaction::new().put(KEY, mixed)).unwrap();
    let error = keys.load().err().unwrap();
    assert!(matches!(&error, TrustError::Seal(seal) if seal.kind == ErrorKind::NotAuthenticated), "{error}");
}

#[test]
fn damage_is_reported_and_never_taken_for_absence() {
    let (_dir, node) = node();
    let keys = KeyPairStore::new(node.store(), node.provider());
    for bytes in [&b""[..], b"{}", b"null", br#"{"version":2}"#] {
        node.store().commit(&Transaction::new().put(KEY, bytes.to_vec())).unwrap();
        assert!(matches!(keys.info(), Err(TrustError::Damaged(_))));
        assert!(matches!(keys.load(), Err(TrustError::Damaged(_))));
    }
}

#[test]
fn a_secret_opens_for_its_purpose_alone_and_every_changed_bit_is_noticed() {
    let (_dir, node) = node();
    let sealer = node.provider();
    let secret = SecretBytes::copy_from(b"password of a key server");
    let sealed = sealer.seal("one", &secret).unwrap();
    assert_eq!(sealer.unseal("one", &sealed).unwrap().expose_secret(), secret.expose_secret());
    assert_eq!(sealer.unseal("two", &sealed).err().unwrap().kind, ErrorKind::NotAuthenticated);
    for bit in 0..sealed.len() * 8 {
        let mut altered = sealed.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        assert!(sealer.unseal("one", &altered).is_err(), "bit {bit}");
    }
    // The root key that was made for the seal serves master keys too.
    sealer.create_key().unwrap();
    assert!(sealer.unseal("one", &sealed).is_ok());
}
