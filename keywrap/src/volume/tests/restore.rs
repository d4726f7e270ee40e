use std::io::Write;

use super::*;

fn backup(file: &File) -> File {
    let mut bytes = Vec::new();
    let len = backup_header(file, &mut bytes).unwrap();
    assert_eq!(len.0, bytes.len() as u64);
    let mut backup = tempfile::tempfile().unwrap();
    backup.write_all(&bytes).unwrap();
    backup
}

#[test]
fn a_restored_header_opens_as_it_did_when_it_was_saved() {
    let (file, created) = volume();
    let saved = backup(&file);
    rewrap(&file, DEVICE, (id(1), &master(1)), (id(2), &master(2))).unwrap();
    restore_header(&saved, &file, DEVICE, false).unwrap();
    assert!(same_key(&created, &unlock_with_master(&file, DEVICE, id(1), &master(1)).unwrap()));
}

#[test]
fn a_destroyed_header_comes_back_when_forced() {
    let (file, created) = volume();
    let saved = backup(&file);
    erase(&file).unwrap();
    let refused = error(restore_header(&saved, &file, DEVICE, false));
    assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
    restore_header(&saved, &file, DEVICE, true).unwrap();
    assert!(same_key(&created, &unlock_with_master(&file, DEVICE, id(1), &master(1)).unwrap()));
}

#[test]
fn a_damaged_copy_is_whole_in_the_backup() {
    let (file, created) = volume();
    file.write_all_at(&[0xff; 100], 5000).unwrap();
    let saved = backup(&file);
    let copies = inspect(&saved).unwrap();
    assert!(copies.primary.starts_with("valid") && copies.secondary.starts_with("valid"), "{copies:?}");
    restore_header(&saved, &file, DEVICE, false).unwrap();
    assert!(same_key(&created, &unlock_with_master(&file, DEVICE, id(1), &master(1)).unwrap()));
}

#[test]
fn the_backup_of_another_volume_is_refused() {
    let ((file, created), (other, _)) = (volume(), volume());
    let refused = error(restore_header(&backup(&other), &file, DEVICE, false));
    assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
    assert!(same_key(&created, &unlock_with_master(&file, DEVICE, id(1), &master(1)).unwrap()));
}

#[test]
fn a_backup_cut_short_or_a_device_too_small_is_refused_before_anything_is_written() {
    let (file, _) = volume();
    let saved = backup(&file);
    let before = contents(&file, 1 << 20);
    let small = super::file(1 << 20);
    assert_eq!(error(restore_header(&saved, &small, DEVICE, true)).kind(), ErrorKind::Invalid);
    saved.set_len(1 << 20).unwrap();
    let cut = error(restore_header(&saved, &file, DEVICE, true));
    assert_eq!(cut.kind(), ErrorKind::Invalid, "{cut}");
    assert!(before == contents(&file, 1 << 20), "nothing was written");
    assert!(restore_header(&saved, &file, DEFAULT_DATA_OFFSET, true).is_err(), "no room for data");
}
