//! Header backups, exchanged with cryptsetup in both directions, and crypto-erase as cryptsetup sees it.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sear_tests::rig::{Cryptsetup, Need, Run, Sear, require};

const NEEDS: [Need; 1] = [Need::Tool("cryptsetup")];

#[test]
fn cryptsetup_restores_a_backup_that_we_made() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, disk) = volume();
    let (key, backup) = (Cryptsetup::with_key_file(sear.export_key(&disk)), sear.path("backup"));
    sear.run().words("volume backup-header").arg(&disk).arg(&backup).ok();
    destroy_header(&disk);
    assert!(!key.opens(&disk));
    Run::new("cryptsetup").words("--batch-mode luksHeaderRestore --header-backup-file").arg(&backup).arg(&disk).ok();
    assert!(key.opens(&disk), "the restored header does not open");
    sear.up(&disk, [""; 0]).stop();
}

#[test]
fn we_restore_a_backup_that_cryptsetup_made() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, disk) = volume();
    let (key, backup) = (Cryptsetup::with_key_file(sear.export_key(&disk)), sear.path("backup"));
    Run::new("cryptsetup").words("luksHeaderBackup --header-backup-file").arg(&backup).arg(&disk).ok();
    destroy_header(&disk);
    // Nothing is left that could say whose backup this is, so we want to be told.
    assert_eq!(sear.run().words("volume restore-header").arg(&disk).arg(&backup).fails().code, Some(3));
    sear.run().words("volume restore-header --force").arg(&disk).arg(&backup).ok();
    assert!(key.opens(&disk), "the restored header does not open");
    sear.up(&disk, [""; 0]).stop();
}

#[test]
fn the_backup_of_another_volume_is_refused() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, disk) = volume();
    let (other, backup) = (sear.path("other"), sear.path("backup"));
    sear.run().words("volume create --size 1M").arg(&other).ok();
    sear.run().words("volume backup-header").arg(&other).arg(&backup).ok();
    let failure = sear.run().words("volume restore-header").arg(&disk).arg(&backup).fails();
    assert_eq!(failure.code, Some(3), "{}", failure.output);
    for volume in [&disk, &other] {
        let uuid = uuid(volume);
        assert!(failure.output.contains(&uuid), "the message does not name {uuid}: {}", failure.output);
    }
    sear.up(&disk, [""; 0]).stop();
}

#[test]
fn an_erased_volume_opens_with_no_key_any_more() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, disk) = volume();
    let key = Cryptsetup::with_key_file(sear.export_key(&disk));
    assert!(key.opens(&disk));
    sear.run().words("volume erase --yes").arg(&disk).ok();
    key.refuses(&disk);
    sear.run().arg("up").arg(&disk).fails();
}

#[test]
fn a_damaged_first_header_is_repaired_from_the_second() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, disk) = volume();
    let key = Cryptsetup::with_key_file(sear.export_key(&disk));
    let file = OpenOptions::new().write(true).open(&disk).expect("the volume can be opened");
    file.write_all_at(&[0xff; 64], 4096).expect("the volume can be written");
    sear.up(&disk, [""; 0]).stop();
    assert!(key.opens(&disk));
}

fn volume() -> (Sear, PathBuf) {
    let sear = Sear::new();
    let disk = sear.path("disk");
    sear.run().words("volume create --size 1M").arg(&disk).ok();
    (sear, disk)
}

fn uuid(disk: &Path) -> String {
    Run::new("cryptsetup").arg("luksUUID").arg(disk).ok().trim().to_owned()
}

/// Wipes both copies of the header and the keyslots.
fn destroy_header(disk: &Path) {
    let file = OpenOptions::new().write(true).open(disk).expect("the volume can be opened");
    file.write_all_at(&vec![0; 1 << 20], 0).expect("the volume can be written");
}
