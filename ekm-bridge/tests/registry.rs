//! The registry of volumes.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ekm_bridge::registry::RegistryError;
use ekm_bridge::store::Transaction;
use ekm_bridge::{Node, Store, UnixSeconds, VolumeRecord};
use keywrap::keys::KeyId;
use uuid::Uuid;

fn node() -> (tempfile::TempDir, Node) {
    let temp = tempfile::tempdir().unwrap();
    let node = Node::open(&temp.path().join("state")).unwrap();
    (temp, node)
}

fn volume(path: &str) -> VolumeRecord {
    VolumeRecord {
        uuid: Uuid::new_v4(),
        path: PathBuf::from(path),
        header: None,
        key_id: KeyId::random(),
        created: UnixSeconds(100),
        last_opened: None,
        export: None,
    }
}

#[test]
fn a_recorded_volume_is_found_by_uuid_by_path_and_in_the_list() {
    let (_temp, node) = node();
    let volumes = node.volumes();
    let (a, b) = (volume("/dev/a"), volume("/dev/b"));
    for record in [&a, &b] {
        assert_eq!(&volumes.record(record).unwrap(), record);
    }
    assert_eq!(volumes.get(a.uuid).unwrap().as_ref(), Some(&a));
    assert_eq!(volumes.find_by_path(Path::new("/dev/b")).unwrap(), std::slice::from_ref(&b));
    let mut all = vec![a, b];
    all.sort_by_key(|record| record.uuid);
    assert_eq!(volumes.list().unwrap(), all);
}

#[test]
fn recording_again_keeps_the_creation_time_and_takes_the_rest() {
    let (_temp, node) = node();
    let first = volume("/old");
    node.volumes().record(&first).unwrap();
    let seen = VolumeRecord {
        path: PathBuf::from("/new"),
        header: Some(PathBuf::from("/header")),
        created: UnixSeconds(200),
        last_opened: Some(UnixSeconds(200)),
        export: Some("disk".into()),
        ..first.clone()
    };
    let expected = VolumeRecord { created: first.created, ..seen.clone() };
    assert_eq!(node.volumes().record(&seen).unwrap(), expected);
    assert_eq!(node.volumes().list().unwrap(), [expected]);
}

#[test]
fn a_forgotten_volume_is_gone() {
    let (_temp, node) = node();
    let record = volume("/dev/a");
    node.volumes().record(&record).unwrap();
    assert!(node.volumes().forget(record.uuid).unwrap());
    assert!(!node.volumes().forget(record.uuid).unwrap());
    assert_eq!(node.volumes().get(record.uuid).unwrap(), None);
}

#[test]
fn paths_that_records_cannot_hold_are_refused() {
    let (_temp, node) = node();
    assert!(matches!(node.volumes().record(&volume("relative")), Err(RegistryError::RelativePath(_))));
    let header = Some(PathBuf::from(OsStr::from_bytes(b"/\xff")));
    let not_utf8 = VolumeRecord { header, ..volume("/dev/a") };
    assert!(matches!(node.volumes().record(&not_utf8), Err(RegistryError::PathNotUtf8(_))));
    assert!(node.volumes().list().unwrap().is_empty());
}

#[test]
fn a_record_that_cannot_be_read_is_named_and_kept() {
    let (_temp, node) = node();
    let record = volume("/dev/a");
    let good = serde_json::to_string(&record).unwrap();
    let other = format!("volume/{}", Uuid::new_v4());
    let key = format!("volume/{}", record.uuid);
    let unknown_field = good.replacen('{', "{\"later\":1,", 1);
    for (key, value) in [(&key, "{".to_owned()), (&key, unknown_field), (&other, good)] {
        node.store().commit(&Transaction::new().put(key, value.clone().into_bytes())).unwrap();
        let error = node.volumes().list().unwrap_err();
        assert!(matches!(&error, RegistryError::Damaged { key: named, .. } if named == key), "{error}");
        assert_eq!(node.store().get(key).unwrap().unwrap().value, value.as_bytes());
        node.store().commit(&Transaction::new().delete(key)).unwrap();
    }
    node.store().commit(&Transaction::new().put(&key, b"{".to_vec())).unwrap();
    node.volumes().record(&record).unwrap_err();
}
