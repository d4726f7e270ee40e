//! Two writers of one header: the lock, and a change between reading and writing.
#![expect(clippy::unwrap_used, reason = "a test's helpers may fail the test")]

mod support;

use std::fs::{File, OpenOptions};
use std::path::Path;

use keywrap::luks2::lock::Locked;
use keywrap::luks2::store::{Store, StoreError};

fn open(path: &Path) -> File {
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

fn commit_unchanged(store: &mut Store<'_>) -> Result<(), StoreError> {
    let metadata = store.header().metadata.clone();
    store.commit(metadata)
}

#[test]
fn a_header_is_not_written_while_another_program_holds_the_lock_and_can_be_read_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("volume");
    std::fs::write(&path, support::healthy_volume()).unwrap();
    let (ours, theirs) = (open(&path), open(&path));
    let lock = Locked::take(&theirs).unwrap();
    let mut store = Store::open(&ours).unwrap();
    assert!(matches!(commit_unchanged(&mut store), Err(StoreError::InUse)));
    assert!(std::fs::read(&path).unwrap() == support::healthy_volume(), "nothing was written");
    drop(lock);
    commit_unchanged(&mut store).unwrap();
    assert!(matches!(Locked::take(&theirs), Err(StoreError::InUse)), "the store keeps the lock");
    drop(store);
    Locked::take(&theirs).unwrap();
}

#[test]
fn a_change_by_another_program_between_reading_and_writing_is_not_overwritten() {
    let medium = support::Memory::new(support::healthy_volume());
    let (mut first, mut second) = (Store::open(&medium).unwrap(), Store::open(&medium).unwrap());
    commit_unchanged(&mut first).unwrap();
    assert!(matches!(commit_unchanged(&mut second), Err(StoreError::ChangedMeanwhile)));
    assert_eq!(Store::open(&medium).unwrap().header(), first.header());
}
