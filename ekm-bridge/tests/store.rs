//! The embedded store against a map in memory, and against other processes.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ekm_bridge::store::{EmbeddedStore, Entry, Revision, Transaction};
use ekm_bridge::{KeyProvider, Node, StateDir, Store, StoreError};
use proptest::prelude::*;

fn new_store(path: &Path) -> EmbeddedStore {
    let dir = StateDir::open(path).unwrap();
    EmbeddedStore::create(&dir, &dir.lock().unwrap()).unwrap();
    EmbeddedStore::open(&dir).unwrap()
}

/// What the store promises, in the slowest and plainest form.
#[derive(Default)]
struct Model {
    revision: u64,
    entries: BTreeMap<String, Entry>,
}

impl Model {
    fn commit(&mut self, expect: &[(String, u64)], puts: &[(String, Vec<u8>)], deletes: &[String]) -> bool {
        let revision_of = |key: &String| self.entries.get(key).map_or(0, |entry| entry.revision.0);
        if expect.iter().any(|(key, revision)| revision_of(key) != *revision) {
            return false;
        }
        self.revision += 1;
        for (key, value) in puts {
            self.entries.insert(key.clone(), Entry { revision: Revision(self.revision), value: value.clone() });
        }
        for key in deletes {
            self.entries.remove(key);
        }
        true
    }
}

type Step = (Vec<(String, u64)>, Vec<(String, Vec<u8>)>, Vec<String>);

fn step() -> impl Strategy<Value = Step> {
    let expect = proptest::collection::vec(("[ab]/[12]", 0_u64..4), 0..2);
    let puts = proptest::collection::vec(("[ab]/[12]", proptest::collection::vec(any::<u8>(), 0..20)), 0..3);
    let deletes = proptest::collection::vec("[ab]/[12]".prop_map(String::from), 0..2);
    (expect, puts, deletes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn the_store_behaves_like_a_map_with_revisions(steps in proptest::collection::vec(step(), 1..8)) {
        let temp = tempfile::tempdir().unwrap();
        let store = new_store(&temp.path().join("state"));
        let mut model = Model::default();
        for (expect, puts, deletes) in steps {
            let expect: BTreeMap<String, u64> = expect.into_iter().collect();
            let mut transaction = Transaction::new();
            for (key, revision) in &expect {
                transaction = transaction.expect(key, Revision(*revision));
            }
            for (key, value) in &puts {
                transaction = transaction.put(key, value.clone());
            }
            for key in &deletes {
                transaction = transaction.delete(key);
            }
            let expected = model.commit(&expect.into_iter().collect::<Vec<_>>(), &puts, &deletes);
            match store.commit(&transaction) {
                Ok(revision) => prop_assert_eq!((expected, revision.0), (true, model.revision)),
                Err(StoreError::Conflict { .. }) => prop_assert!(!expected),
                Err(error) => prop_assert!(false, "{}", error),
            }
            for prefix in ["", "a/", "b/1", "c"] {
                let kept = model.entries.iter().filter(|(key, _)| key.starts_with(prefix));
                let kept: Vec<_> = kept.map(|(key, entry)| (key.clone(), entry.clone())).collect();
                prop_assert_eq!(store.list(prefix).unwrap(), kept);
            }
            prop_assert_eq!(store.get("a/1").unwrap(), model.entries.get("a/1").cloned());
        }
    }
}

#[test]
fn creating_a_store_never_replaces_one() {
    let temp = tempfile::tempdir().unwrap();
    let store = new_store(temp.path().join("state").as_path());
    store.commit(&Transaction::new().put("kept", vec![1])).unwrap();
    let dir = StateDir::open(&temp.path().join("state")).unwrap();
    EmbeddedStore::create(&dir, &dir.lock().unwrap()).unwrap_err();
    assert!(store.get("kept").unwrap().is_some());
}

#[test]
fn a_store_that_is_not_there_is_missing_rather_than_empty() {
    let temp = tempfile::tempdir().unwrap();
    let dir = StateDir::open(&temp.path().join("state")).unwrap();
    assert!(matches!(EmbeddedStore::open(&dir), Err(StoreError::Missing { .. })));
    let store = new_store(dir.path());
    std::fs::remove_file(dir.store_path()).unwrap();
    assert!(matches!(store.get("x"), Err(StoreError::Missing { .. })));
}

const STATE_DIR: &str = "SEAR_TEST_STATE_DIR";
const PROCESSES: usize = 4;
const INCREMENTS: u64 = 10;

/// Runs one ignored test of this file in a process of its own.
fn spawn(test: &str, state_dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"])
        .env(STATE_DIR, state_dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn outputs(children: Vec<Child>) -> Vec<String> {
    let output = |child: Child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    children.into_iter().map(output).collect()
}

#[test]
fn processes_that_count_in_one_store_lose_no_count() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("state");
    let store = new_store(&path);
    outputs((0..PROCESSES).map(|_| spawn("child_counts", &path)).collect());
    let counted: [u8; 8] = store.get("counter").unwrap().unwrap().value.try_into().unwrap();
    assert_eq!(u64::from_le_bytes(counted), INCREMENTS * PROCESSES as u64);
}

#[test]
#[ignore = "run by processes_that_count_in_one_store_lose_no_count"]
fn child_counts() {
    let Some(path) = std::env::var_os(STATE_DIR) else { return };
    let store = EmbeddedStore::open(&StateDir::open(Path::new(&path)).unwrap()).unwrap();
    let mut done = 0;
    while done < INCREMENTS {
        let entry = store.get("counter").unwrap();
        let revision = entry.as_ref().map_or(Revision::ABSENT, |entry| entry.revision);
        let count = entry.map_or(0, |entry| u64::from_le_bytes(entry.value.try_into().unwrap()));
        let next = (count + 1).to_le_bytes().to_vec();
        match store.commit(&Transaction::new().expect("counter", revision).put("counter", next)) {
            Ok(_) => done += 1,
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn processes_that_start_together_on_a_fresh_node_agree_on_the_first_key() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("fresh/state");
    let said = outputs((0..PROCESSES).map(|_| spawn("child_says_the_current_key", &path)).collect());
    let (id, _) = Node::open(&path).unwrap().provider().current_key().unwrap();
    for output in said {
        assert!(output.contains(&format!("current key: {id}")), "{output}");
    }
    assert_eq!(Node::open(&path).unwrap().provider().list().unwrap().len(), 1);
}

#[test]
#[ignore = "run by processes_that_start_together_on_a_fresh_node_agree_on_the_first_key"]
fn child_says_the_current_key() {
    let Some(path) = std::env::var_os(STATE_DIR) else { return };
    let (id, _) = Node::open(Path::new(&path)).unwrap().provider().current_key().unwrap();
    println!("current key: {id}");
}
