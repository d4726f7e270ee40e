//! A node's state over its life: fresh, restarted, moved, with parts lost, damaged or readable by others.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;

use ekm_bridge::provider::{ErrorKind, KeyProvider};
use ekm_bridge::state_dir::StateError;
use ekm_bridge::{Node, NodeError, StoreError};
use keywrap::keys::{KeyId, MasterKey};

fn bytes(key: &MasterKey) -> [u8; 32] {
    *key.0.expose_secret()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn open_error(path: &Path) -> NodeError {
    Node::open(path).err().expect("the node must not open")
}

/// A state directory in which the first master key was made.
fn used() -> (tempfile::TempDir, std::path::PathBuf, KeyId, [u8; 32]) {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("a/b/state");
    let (id, key) = Node::open(&path).unwrap().provider().current_key().unwrap();
    (temp, path, id, bytes(&key))
}

#[test]
fn the_first_key_is_made_once_and_found_again_after_a_restart() {
    let (_temp, path, id, key) = used();
    let node = Node::open(&path).unwrap();
    let (again, same) = node.provider().current_key().unwrap();
    assert_eq!((again, bytes(&same)), (id, key));
    assert_eq!(bytes(&node.provider().key(id).unwrap()), key);
    assert_eq!(node.provider().list().unwrap().len(), 1);
}

#[test]
fn further_keys_differ_and_do_not_become_current() {
    let (_temp, path, id, key) = used();
    let node = Node::open(&path).unwrap();
    let other = node.provider().create_key().unwrap();
    assert_ne!(bytes(&node.provider().key(other).unwrap()), key);
    assert_eq!(node.provider().current_key().unwrap().0, id);
    let ids: Vec<KeyId> = node.provider().list().unwrap().into_iter().map(|info| info.id).collect();
    assert_eq!(ids, if id < other { [id, other] } else { [other, id] });
}

#[test]
fn everything_is_made_for_its_owner_alone() {
    let (_temp, path, ..) = used();
    assert_eq!(mode(&path), 0o700);
    for name in ["root.key", "state.redb", "lock"] {
        assert_eq!(mode(&path.join(name)), 0o600, "{name}");
    }
    assert_eq!(fs::read(path.join("root.key")).unwrap().len(), 32);
    assert_eq!(mode(&Node::open(&path).unwrap().dir().run_dir().unwrap()), 0o700);
    let names: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 4, "a draft was left behind: {names:?}");
}

#[test]
fn no_key_is_written_in_the_clear() {
    let (_temp, path, _, key) = used();
    let root = fs::read(path.join("root.key")).unwrap();
    let store = fs::read(path.join("state.redb")).unwrap();
    for secret in [&key[..], &root] {
        assert!(!store.windows(16).any(|window| window == &secret[..16]));
    }
}

#[test]
fn an_unknown_key_is_absent_and_nothing_else() {
    let (_temp, path, ..) = used();
    let error = Node::open(&path).unwrap().provider().key(KeyId::random()).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Absent);
}

#[test]
fn a_root_key_that_others_can_read_is_refused() {
    let (_temp, path, id, _) = used();
    chmod(&path.join("root.key"), 0o640);
    let error = Node::open(&path).unwrap().provider().key(id).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.to_string().contains("root.key") && error.to_string().contains("chmod 0600"), "{error}");
}

#[test]
fn a_store_that_others_can_read_is_refused() {
    let (_temp, path, ..) = used();
    chmod(&path.join("state.redb"), 0o604);
    let error = Node::open(&path).unwrap().volumes().list().unwrap_err();
    assert!(error.to_string().contains("state.redb") && error.to_string().contains("chmod 0600"), "{error}");
}

#[test]
fn a_directory_that_others_can_write_is_refused_and_one_they_can_list_is_not() {
    let (_temp, path, ..) = used();
    chmod(&path, 0o755);
    Node::open(&path).unwrap();
    chmod(&path, 0o720);
    assert!(matches!(open_error(&path), NodeError::State(StateError::NotPrivate { .. })));
}

#[test]
fn a_file_in_the_place_of_the_directory_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("state");
    fs::write(&path, "").unwrap();
    assert!(matches!(open_error(&path), NodeError::State(StateError::NotPrivate { .. })));
}

#[test]
fn a_root_key_behind_a_symbolic_link_is_refused() {
    let (_temp, path, id, _) = used();
    fs::rename(path.join("root.key"), path.join("elsewhere")).unwrap();
    symlink(path.join("elsewhere"), path.join("root.key")).unwrap();
    let error = Node::open(&path).unwrap().provider().key(id).err().unwrap();
    assert!(error.to_string().contains("root.key"), "{error}");
}

#[test]
fn a_lost_store_is_not_replaced_by_an_empty_one() {
    let (_temp, path, ..) = used();
    fs::remove_file(path.join("state.redb")).unwrap();
    assert!(matches!(open_error(&path), NodeError::StoreLost { .. }));
    assert!(!path.join("state.redb").exists());
}

#[test]
fn a_lost_root_key_is_not_replaced_by_a_new_one() {
    let (_temp, path, id, _) = used();
    fs::remove_file(path.join("root.key")).unwrap();
    let node = Node::open(&path).unwrap();
    for error in [node.provider().key(id).err().unwrap(), node.provider().create_key().err().unwrap()] {
        assert_eq!(error.kind, ErrorKind::NotAuthenticated);
        assert!(error.to_string().contains("restore it from a backup"), "{error}");
    }
    assert!(!path.join("root.key").exists());
}

#[test]
fn a_wrong_root_key_opens_nothing_and_wraps_nothing() {
    let (_temp, path, id, _) = used();
    fs::write(path.join("root.key"), [9; 32]).unwrap();
    let node = Node::open(&path).unwrap();
    for error in [node.provider().key(id).err().unwrap(), node.provider().create_key().err().unwrap()] {
        assert_eq!((error.kind, error.key_id), (ErrorKind::NotAuthenticated, Some(id)));
    }
    assert_eq!(node.provider().list().unwrap().len(), 1);
}

#[test]
fn a_root_key_of_another_length_is_refused() {
    let (_temp, path, id, _) = used();
    for len in [0, 31, 33] {
        fs::write(path.join("root.key"), vec![1; len]).unwrap();
        let error = Node::open(&path).unwrap().provider().key(id).err().unwrap();
        assert!(error.to_string().contains("32 bytes"), "{error}");
    }
}

#[test]
fn an_empty_or_foreign_store_file_is_reported_and_left_as_it_is() {
    let (_temp, path, ..) = used();
    let store = path.join("state.redb");
    let whole = fs::read(&store).unwrap();
    for contents in [Vec::new(), b"not a database".to_vec(), vec![0; 1 << 20], whole[..whole.len() / 2].to_vec()] {
        fs::write(&store, &contents).unwrap();
        let error = Node::open(&path).unwrap().provider().current_key().err().unwrap();
        assert_eq!(error.kind, ErrorKind::Refused, "{error}");
        assert!(error.to_string().contains("damaged") && error.to_string().contains("backup"), "{error}");
        assert_eq!(fs::read(&store).unwrap(), contents);
    }
}

#[test]
fn a_first_start_that_was_cut_short_anywhere_is_completed_by_the_next() {
    let (_temp, whole, ..) = used();
    let empty_store = {
        let temp = tempfile::tempdir().unwrap();
        Node::open(temp.path()).unwrap();
        fs::read(temp.path().join("state.redb")).unwrap()
    };
    let root_key = fs::read(whole.join("root.key")).unwrap();
    // In the order in which a first start makes them; a draft is a file that was not finished.
    let stages: [&[(&str, &[u8])]; 6] = [
        &[],
        &[("lock", b"")],
        &[("lock", b""), (".state.redb.0.new", &empty_store[..1000])],
        &[("lock", b""), ("state.redb", &empty_store)],
        &[("lock", b""), ("state.redb", &empty_store), (".root.key.0.new", &root_key[..7])],
        &[("lock", b""), ("state.redb", &empty_store), ("root.key", &root_key)],
    ];
    for (stage, files) in stages.iter().enumerate() {
        let temp = tempfile::tempdir().unwrap();
        for (name, contents) in *files {
            fs::write(temp.path().join(name), contents).unwrap();
            chmod(&temp.path().join(name), 0o600);
        }
        let node = Node::open(temp.path()).unwrap();
        let (id, key) = node.provider().current_key().unwrap();
        let again = Node::open(temp.path()).unwrap().provider().key(id).unwrap();
        assert_eq!(bytes(&again), bytes(&key), "stage {stage}");
    }
}

#[test]
fn a_directory_of_another_user_is_refused() {
    let (_temp, path, ..) = used();
    if chown(&path, Some(65_534), None).is_err() {
        println!("skipped: only root can give a directory away");
        return;
    }
    let error = open_error(&path);
    assert!(error.to_string().contains("belongs to user id 65534"), "{error}");
}

#[test]
fn a_lock_that_is_not_released_ends_in_a_clear_error() {
    let (_temp, path, ..) = used();
    let node = Node::open(&path).unwrap();
    let _held = node.dir().lock().unwrap();
    let impatient = node.dir().clone().with_lock_wait(std::time::Duration::ZERO);
    assert!(matches!(impatient.lock(), Err(StateError::Locked { .. })));
    let store = ekm_bridge::store::EmbeddedStore::open(&impatient).unwrap();
    let error = ekm_bridge::Store::get(&store, "x").unwrap_err();
    assert!(matches!(error, StoreError::State(StateError::Locked { .. })));
}
