//! Evil headers: each by name, each with the exact error that it must give. Also truncated files and random damage.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

mod binary;
mod damage;
mod fields;
mod relations;
#[path = "../support/mod.rs"]
mod support;
mod text;
mod unsupported;

use std::collections::BTreeSet;

use keywrap::luks2::select::Copies;
use keywrap::luks2::store::Store;
use serde_json::Value;
use support::{Memory, healthy_json, healthy_volume, volume};

/// A header that must be refused.
struct Evil {
    name: &'static str,
    bytes: Vec<u8>,
    error: &'static str,
}

/// An evil header made by changing the JSON of a healthy one.
fn json(name: &'static str, change: impl FnOnce(&mut Value), error: &'static str) -> Evil {
    let mut document = healthy_json();
    change(&mut document);
    Evil { name, bytes: volume(document.to_string().as_bytes()), error }
}

/// An evil header made by setting the member at `path` (JSON pointer) to `value`.
fn set(name: &'static str, path: &str, value: Value, error: &'static str) -> Evil {
    let (parent, member) = path.rsplit_once('/').unwrap();
    json(name, |document| document.pointer_mut(parent).unwrap()[member] = value, error)
}

/// An evil header made by removing the member at `path` (JSON pointer).
fn without(name: &'static str, path: &str, error: &'static str) -> Evil {
    let (parent, member) = path.rsplit_once('/').unwrap();
    let remove = |document: &mut Value| {
        let parent = document.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        parent.remove(member).expect("the member was there");
    };
    json(name, remove, error)
}

fn every_evil() -> Vec<Evil> {
    [binary::table(), text::table(), fields::table(), relations::table(), unsupported::table()]
        .into_iter()
        .flatten()
        .collect()
}

/// What opening says: the primary's own error where the header is not even legal, else why it is not supported.
fn verdict(bytes: Vec<u8>) -> String {
    let medium = Memory::new(bytes);
    if let Err(bad) = Copies::read(&medium).primary {
        assert!(Store::open(&medium).is_err());
        return bad.to_string();
    }
    match Store::open(&medium) {
        Ok(_) => "opened".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_healthy_header_opens() {
    assert_eq!(verdict(healthy_volume()), "opened");
}

#[test]
fn every_evil_header_gives_its_own_error() {
    let all = every_evil();
    assert!(all.len() >= 60, "only {} evil headers", all.len());
    let names: BTreeSet<_> = all.iter().map(|evil| evil.name).collect();
    assert_eq!(names.len(), all.len(), "names are unique");
    let wrong: Vec<_> = all
        .into_iter()
        .filter_map(|evil| {
            let found = verdict(evil.bytes);
            (found != evil.error).then(|| format!("{}:\n    expected {}\n    found    {found}", evil.name, evil.error))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
