//! Metadata drives as real directories: permissions, locks, files that are lost, moved or damaged.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ekm_bridge::store::replicated::{DirectoryDrive, Drive, FileWitness, Health, RecoveryError, StartError, Witness};
use ekm_bridge::store::{MemoryStore, Snapshot, Transaction};
use ekm_bridge::{ReplicatedStore, StateDir, Store, StoreError};

struct Node {
    temp: tempfile::TempDir,
}

impl Node {
    /// Directories for this many drives, made and empty.
    fn new(drives: usize) -> Self {
        let node = Self { temp: tempfile::tempdir().unwrap() };
        for number in 0..drives {
            StateDir::open(&node.path(number)).unwrap();
        }
        node
    }

    fn path(&self, number: usize) -> PathBuf {
        self.temp.path().join(format!("drive{number}"))
    }

    fn drive(&self, number: usize) -> Box<dyn Drive> {
        Box::new(DirectoryDrive::new(&self.path(number)).with_lock_wait(Duration::from_millis(50)))
    }

    fn witness_path(&self) -> PathBuf {
        self.temp.path().join("witness.json")
    }

    fn witness(&self) -> Box<dyn Witness> {
        Box::new(FileWitness::new(&self.witness_path()))
    }

    /// A store on the first drives, with one entry.
    fn made(drives: usize) -> Self {
        let node = Self::new(drives);
        let store = ReplicatedStore::create(node.drive(0), node.witness(), &Snapshot::default()).unwrap();
        for number in 1..drives {
            store.add_drive(node.drive(number)).unwrap();
        }
        store.commit(&Transaction::new().put("key", b"value".to_vec())).unwrap();
        node
    }

    fn open(&self, drives: usize) -> Result<ReplicatedStore, StartError> {
        ReplicatedStore::open((0..drives).map(|number| self.drive(number)).collect(), self.witness())
    }
}

fn is_whole(store: &ReplicatedStore) -> bool {
    store.get("key").unwrap().is_some_and(|entry| entry.value == b"value")
}

fn health(store: &ReplicatedStore) -> Vec<Health> {
    store.health().into_iter().map(|drive| drive.health).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_store_is_found_again_on_all_its_drives_and_everything_is_private() {
    let node = Node::made(3);
    let store = node.open(3).unwrap();
    assert!(is_whole(&store));
    assert_eq!(health(&store), [Health::InUse, Health::InUse, Health::InUse]);
    for number in 0..3 {
        assert_eq!(mode(&node.path(number).join("state.redb")), 0o600);
    }
    assert_eq!(mode(&node.witness_path()), 0o600);
    drop(store);
    let epoch = node.open(3).unwrap().epoch();
    assert_eq!(node.open(3).unwrap().epoch(), epoch, "opening what has not changed begins no epoch");
}

#[test]
fn a_lost_damaged_or_exposed_copy_is_left_out_and_the_rest_goes_on() {
    let spoil: [fn(&Path); 4] = [
        |path| fs::remove_dir_all(path).unwrap(),
        |path| fs::remove_file(path.join("state.redb")).unwrap(),
        |path| fs::write(path.join("state.redb"), "garbage").unwrap(),
        |path| fs::set_permissions(path.join("state.redb"), Permissions::from_mode(0o644)).unwrap(),
    ];
    for (case, spoil) in spoil.into_iter().enumerate() {
        let node = Node::made(2);
        spoil(&node.path(0));
        let store = node.open(2).unwrap();
        assert!(is_whole(&store), "case {case}");
        let health = health(&store);
        assert!(health[0] != Health::InUse && health[1] == Health::InUse, "case {case}: {health:?}");
        store.commit(&Transaction::new().put("later", vec![1])).unwrap();
    }
}

#[test]
fn an_empty_drive_alone_is_fresh_only_if_there_never_was_a_store() {
    let node = Node::new(2);
    assert!(matches!(node.open(2), Err(StartError::Recovery(RecoveryError::Fresh))));
    let node = Node::made(2);
    for number in 0..2 {
        fs::remove_file(node.path(number).join("state.redb")).unwrap();
    }
    assert!(matches!(node.open(2), Err(StartError::Recovery(RecoveryError::NoCopy(_)))));
    let refused = ReplicatedStore::create(node.drive(0), node.witness(), &Snapshot::default());
    assert!(matches!(refused, Err(StartError::NotEmpty { .. })));
    assert!(!node.path(0).join("state.redb").exists());
}

#[test]
fn a_directory_that_is_not_there_is_not_made() {
    let node = Node::made(1);
    let store = node.open(1).unwrap();
    let error = store.add_drive(node.drive(7)).unwrap_err();
    assert!(error.to_string().contains("drive7"), "{error}");
    assert!(!node.path(7).exists());
}

#[test]
fn a_store_that_is_in_use_is_not_opened_again() {
    let node = Node::made(2);
    let _running = node.open(2).unwrap();
    assert!(matches!(node.open(2), Err(StartError::Busy { .. })));
}

#[test]
fn an_old_copy_alone_is_refused_with_the_place_of_the_newest() {
    let node = Node::made(2);
    let old = fs::read(node.path(0).join("state.redb")).unwrap();
    let store = node.open(2).unwrap();
    store.remove_drive(&node.path(0).display().to_string()).unwrap();
    store.commit(&Transaction::new().put("later", vec![1])).unwrap();
    drop(store);
    fs::write(node.path(0).join("state.redb"), old).unwrap();
    let error = node.open(1).err().unwrap();
    assert!(matches!(error, StartError::Recovery(RecoveryError::Stale { .. })), "{error}");
    assert!(error.to_string().contains("drive1"), "{error}");
    let store = node.open(2).unwrap();
    assert!(matches!(health(&store)[0], Health::Failed(_)));
    store.add_drive(node.drive(0)).unwrap();
    assert_eq!(store.health().iter().filter(|drive| drive.health == Health::InUse).count(), 2);
    drop(store);
    assert!(node.open(1).unwrap().get("later").unwrap().is_some());
}

#[test]
fn a_copy_that_loses_its_name_while_it_is_open_has_failed() {
    let lose: [fn(&Path); 4] = [
        |file| fs::remove_file(file).unwrap(),
        |file| fs::rename(file, file.with_file_name("elsewhere")).unwrap(),
        |file| {
            fs::copy(file, file.with_file_name("other")).unwrap();
            fs::rename(file.with_file_name("other"), file).unwrap();
        },
        |file| fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap(),
    ];
    for (case, lose) in lose.into_iter().enumerate() {
        let node = Node::made(2);
        let store = node.open(2).unwrap();
        lose(&node.path(0).join("state.redb"));
        store.commit(&Transaction::new().put("later", vec![1])).unwrap();
        assert!(matches!(health(&store)[..], [Health::Failed(_), Health::InUse]), "case {case}");
        drop(store);
        let store = node.open(2).unwrap();
        assert!(is_whole(&store) && store.get("later").unwrap().is_some(), "case {case}");
    }
}

#[test]
fn the_last_drive_cannot_be_removed() {
    let node = Node::made(2);
    let store = node.open(2).unwrap();
    store.remove_drive(&node.path(1).display().to_string()).unwrap();
    store.remove_drive(&node.path(1).display().to_string()).unwrap_err();
    store.remove_drive(&node.path(0).display().to_string()).unwrap_err();
    assert!(is_whole(&store));
}

#[test]
fn without_a_witness_nothing_is_acknowledged() {
    let node = Node::made(2);
    let store = node.open(2).unwrap();
    // A directory in the witness's place: it cannot be replaced.
    fs::remove_file(node.witness_path()).unwrap();
    fs::create_dir(node.witness_path()).unwrap();
    assert!(store.remove_drive(&node.path(1).display().to_string()).is_err());
    assert!(store.commit(&Transaction::new().put("later", vec![1])).is_err());
    assert!(is_whole(&store));
    fs::remove_dir(node.witness_path()).unwrap();
    store.commit(&Transaction::new().put("later", vec![1])).unwrap();
}

#[test]
fn a_witness_that_makes_no_sense_is_refused() {
    for text in ["", "{}", "{\"format\":2}", "null"] {
        let node = Node::made(1);
        fs::write(node.witness_path(), text).unwrap();
        assert!(matches!(node.open(1), Err(StartError::Store(StoreError::Unavailable { .. }))), "{text:?}");
    }
}

#[test]
fn a_store_of_one_file_becomes_a_replicated_one_with_its_contents() {
    let old = MemoryStore::new();
    old.commit(&Transaction::new().put("key", b"value".to_vec())).unwrap();
    let node = Node::new(1);
    let store = ReplicatedStore::create(node.drive(0), node.witness(), &old.snapshot()).unwrap();
    assert!(is_whole(&store));
    assert_eq!(store.list("").unwrap(), old.list("").unwrap());
    assert!(store.snapshot().unwrap().revision > old.snapshot().revision);
}

#[test]
fn the_entries_of_the_replication_cannot_be_seen_or_changed() {
    let node = Node::made(1);
    let store: Arc<dyn Store> = Arc::new(node.open(1).unwrap());
    assert_eq!(store.get("replica/store").unwrap(), None);
    assert_eq!(store.list("").unwrap().len(), 1);
    assert!(store.list("replica/").unwrap().is_empty());
    let refused = store.commit(&Transaction::new().put("replica/store", vec![1]));
    assert!(matches!(refused, Err(StoreError::Reserved(_))));
}
