//! The oracle, the other way: Sear makes and writes the volume, cryptsetup opens and decrypts it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::Path;

use sear_tests::rig::{Cryptsetup, LoopDevice, LoopMode, Need, Run, Sear, filled_file, require};

const NEEDS: [Need; 2] = [Need::Tool("cryptsetup"), Need::Tool("nbdcopy")];
const PLAINTEXT: u64 = 24 << 20;

#[test]
fn cryptsetup_decrypts_our_volume_with_512_byte_sectors() {
    attached(512);
}

#[test]
fn cryptsetup_decrypts_our_volume_with_4096_byte_sectors() {
    attached(4096);
}

#[test]
fn cryptsetup_decrypts_our_volume_with_a_detached_header_and_512_byte_sectors() {
    detached(512);
}

#[test]
fn cryptsetup_decrypts_our_volume_with_a_detached_header_and_4096_byte_sectors() {
    detached(4096);
}

#[test]
#[ignore = "uses loop devices as root"]
fn a_volume_on_a_block_device_is_written_and_decrypted_the_same() {
    if !require(&NEEDS) || !require(&[Need::Root, Need::Loop, Need::Tool("losetup")]) {
        return;
    }
    let sear = Sear::new();
    let (file, plain) = (sear.path("file"), sear.path("plain"));
    filled_file(&plain, 11, PLAINTEXT);
    File::create_new(&file).and_then(|file| file.set_len(PLAINTEXT + (16 << 20))).expect("the file can be made");
    let device = LoopDevice::attach(&file, LoopMode::ReadWrite);
    write(&sear, device.path(), &plain, &[]);
    let cryptsetup = Cryptsetup::with_key_file(sear.export_key(device.path()));
    assert!(cryptsetup.opens(device.path()), "cryptsetup does not open the keyslot with the exported key");
    drop(device);
    cryptsetup.decrypt_in_place(&file, &sear.path("taken-header"));
    assert_starts_with(&file, &plain);
}

fn attached(sector_size: u32) {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let (disk, plain) = (sear.path("disk"), sear.path("plain"));
    filled_file(&plain, 3, PLAINTEXT);
    create(&sear, &disk, sector_size, &[]);
    write(&sear, &disk, &plain, &[]);

    let cryptsetup = Cryptsetup::with_key_file(sear.export_key(&disk));
    assert_looks_right(&disk, sector_size, 16 << 20);
    assert!(cryptsetup.opens(&disk), "cryptsetup does not open the keyslot with the exported key");
    cryptsetup.decrypt_in_place(&disk, &sear.path("taken-header"));
    assert_starts_with(&disk, &plain);
}

fn detached(sector_size: u32) {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let (disk, plain, header) = (sear.path("disk"), sear.path("plain"), sear.path("header"));
    filled_file(&plain, 4, PLAINTEXT);
    let detached: [OsString; 2] = ["--header".into(), header.clone().into()];
    create(&sear, &disk, sector_size, &detached);
    write(&sear, &disk, &plain, &detached);

    let key = sear.path("key");
    sear.run().words("volume export-key").arg(&disk).args(&detached).arg("--output").arg(&key).ok();
    let cryptsetup = Cryptsetup::with_key_file(key);
    assert_looks_right(&header, sector_size, 0);
    assert!(cryptsetup.opens(&header), "cryptsetup does not open the keyslot with the exported key");
    cryptsetup.decrypt_in_place(&disk, &header);
    assert_starts_with(&disk, &plain);
}

fn create(sear: &Sear, disk: &Path, sector_size: u32, more: &[OsString]) {
    let create = sear.run().words("volume create --size 24M").arg("--sector-size").arg(sector_size.to_string());
    create.args(more).arg(disk).ok();
}

fn write(sear: &Sear, disk: &Path, plain: &Path, more: &[OsString]) {
    let served = sear.up(disk, more);
    Run::new("nbdcopy").arg("--flush").arg(plain).arg(served.uri()).ok();
    served.stop();
}

/// `luksDump` reads the header and finds what DESIGN promises.
fn assert_looks_right(header: &Path, sector_size: u32, offset: u64) {
    let text = Run::new("cryptsetup").arg("luksDump").arg(header).ok();
    assert!(text.contains("sear"), "luksDump does not show our token:\n{text}");
    let metadata = Cryptsetup::metadata(header);
    let segment = &metadata["segments"]["0"];
    assert_eq!(segment["encryption"], "aes-xts-plain64");
    assert_eq!(segment["sector_size"], sector_size);
    assert_eq!(segment["offset"], offset.to_string());
    assert_eq!(metadata["keyslots"]["0"]["key_size"], 64);
    assert_eq!(metadata["tokens"]["0"]["type"], "sear");
}

fn assert_starts_with(disk: &Path, plain: &Path) {
    let (disk, plain) = (fs::read(disk).expect("readable"), fs::read(plain).expect("readable"));
    assert!(disk[..plain.len()] == plain[..], "cryptsetup decrypted something else than what was written");
}
