//! What this program does not know survives a read-change-write; what it knows is written as it was read.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

mod support;

use keywrap::luks2::json::{KeyslotKind, Metadata};
use keywrap::luks2::store::Store;
use serde_json::{Value, json};
use support::{Memory, SIZE, VOLUME_LEN, copy, healthy_binary, healthy_json, volume};

/// The document that a volume holds.
fn document(medium: &Memory) -> Value {
    let bytes = medium.0.borrow();
    let text = bytes[4096..SIZE.len()].split(|&byte| byte == 0).next().unwrap();
    serde_json::from_slice(text).unwrap()
}

/// A document with something unknown in every place where there may be.
fn strange() -> Value {
    let mut document = healthy_json();
    let unknown = json!({"a": [1, -2, 3.5, null, true, {"b": "\u{1f512} \" \\ /"}], "": {}});
    for path in [
        "",
        "/config",
        "/keyslots/0",
        "/keyslots/0/area",
        "/keyslots/0/kdf",
        "/keyslots/1/kdf",
        "/keyslots/0/af",
        "/segments/0",
        "/digests/0",
        "/tokens/0",
    ] {
        document.pointer_mut(path).unwrap()["x-unknown"] = unknown.clone();
    }
    document["config"]["requirements"] = json!({"optional": ["nice-to-have"]});
    document["config"]["flags"] = json!(["no-read-workqueue", "of the future"]);
    document["keyslots"]["0"]["priority"] = json!(2);
    document["keyslots"]["7"] = json!({
        "type": "of-the-future", "key_size": 64, "shares": [1, 2],
        "area": {"type": "cloud", "offset": "548864", "size": "4096", "url": "x"},
    });
    document["digests"]["3"] = json!({"type": "of-the-future", "keyslots": ["7"], "segments": ["0"], "bits": 9});
    document["tokens"]["4"] = json!({"type": "luks2-keyring", "keyslots": [], "key_description": "y"});
    document
}

#[test]
fn unknown_members_keyslots_tokens_and_digests_survive_a_change() {
    let before = strange();
    let medium = Memory::new(volume(before.to_string().as_bytes()));
    let mut store = Store::open(&medium).unwrap();
    let mut metadata = store.header().metadata.clone();
    assert!(matches!(&metadata.keyslots[&7].kind, KeyslotKind::Other(kind) if kind == "of-the-future"));
    metadata.config.set_allow_discards(true);
    store.commit(metadata).unwrap();

    let mut expected = before;
    expected["config"]["flags"] = json!(["no-read-workqueue", "of the future", "allow-discards"]);
    assert_eq!(document(&medium), expected);
}

#[test]
fn unknown_numbers_keep_every_digit() {
    let numbers = ["18446744073709551616", "0.1000000000000000055511151231257827", "1e400", "-0", "1E+2"];
    for number in numbers {
        let text = healthy_json().to_string().replace("1.5", number);
        assert!(text.contains(&format!("{{\"a\":{number}}}")), "{number} is in the text");
        let metadata = Metadata::parse((text + "\0").as_bytes(), SIZE).unwrap();
        assert!(metadata.encode(SIZE).unwrap().contains(&format!("{{\"a\":{number}}}")), "{number}");
    }
}

#[test]
fn a_document_that_does_not_fit_is_refused_before_anything_is_written() {
    let medium = Memory::new(support::healthy_volume());
    let before = medium.0.borrow().clone();
    let mut store = Store::open(&medium).unwrap();
    let mut metadata = store.header().metadata.clone();
    metadata.config.rest.put_str("filler", &"x".repeat(12_000));
    let error = store.commit(metadata).err().unwrap().to_string();
    assert!(error.contains("the JSON area holds 12287; remove a keyslot or token"), "{error}");
    assert!(before == *medium.0.borrow());
}

#[test]
fn the_largest_document_that_fits_is_written_and_read() {
    let binary = healthy_binary(1);
    let mut text = healthy_json().to_string();
    text.pop();
    text.push_str(",\"filler\":\"");
    text.push_str(&"x".repeat(12_287 - text.len() - 2));
    text.push_str("\"}");
    assert_eq!(text.len(), 12_287);
    let mut bytes = copy(&binary, keywrap::luks2::binary::CopyId::Primary, text.as_bytes());
    bytes.resize(VOLUME_LEN, 0);
    let medium = Memory::new(bytes);
    let mut store = Store::open(&medium).unwrap();
    let metadata = store.header().metadata.clone();
    store.commit(metadata).unwrap();
    assert_eq!(document(&medium), serde_json::from_str::<Value>(&text).unwrap());
}

#[test]
fn a_keyslot_leaves_with_every_reference_and_foreign_tokens_stay() {
    let text = strange().to_string() + "\0";
    let mut metadata = Metadata::parse(text.as_bytes(), SIZE).unwrap();
    metadata.remove_keyslot(1).unwrap();
    assert_eq!(metadata.digests[&0].keyslots, [0]);
    assert!(metadata.tokens[&0].keyslots.is_empty());
    assert_eq!(metadata.tokens.len(), 2);
    metadata.encode(SIZE).unwrap();
}
