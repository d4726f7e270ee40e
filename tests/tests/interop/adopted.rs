//! The oracle, one way: cryptsetup makes the volume and encrypts the data, Sear adopts and reads it.

use std::fs::{self, OpenOptions};
use std::path::PathBuf;

use sear_tests::rig::{Cryptsetup, Need, Run, Sear, filled_file, require};

const NEEDS: [Need; 2] = [Need::Tool("cryptsetup"), Need::Tool("nbdcopy")];
const PLAINTEXT: u64 = 24 << 20;
/// What `reencrypt --encrypt --reduce-device-size 32M` takes from the end of the device.
const ROOM_FOR_HEADER: u64 = 32 << 20;

#[test]
fn a_volume_encrypted_by_cryptsetup_with_512_byte_sectors_reads_the_same() {
    attached(512);
}

#[test]
fn a_volume_encrypted_by_cryptsetup_with_4096_byte_sectors_reads_the_same() {
    attached(4096);
}

#[test]
fn a_volume_with_a_detached_header_and_512_byte_sectors_reads_the_same() {
    detached(512);
}

#[test]
fn a_volume_with_a_detached_header_and_4096_byte_sectors_reads_the_same() {
    detached(4096);
}

#[test]
fn a_wrong_passphrase_adopts_nothing_and_changes_nothing() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let (disk, cryptsetup) = (sear.path("disk"), passphrase(&sear));
    fs::write(&disk, []).expect("the file can be made");
    OpenOptions::new().write(true).open(&disk).and_then(|file| file.set_len(32 << 20)).expect("it can grow");
    cryptsetup.format(&disk, 4096, "--pbkdf pbkdf2 --pbkdf-force-iterations 1000");
    let before = fs::read(&disk).expect("the file can be read");
    let wrong = sear.path("wrong");
    fs::write(&wrong, "not the passphrase").expect("the file can be written");
    let failure = sear.run().words("volume adopt").arg(&disk).arg("--passphrase-file").arg(&wrong).fails();
    assert_eq!(failure.code, Some(4), "{}", failure.output);
    assert!(fs::read(&disk).expect("the file can be read") == before, "a failed adoption changed the volume");
}

fn attached(sector_size: u32) {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let (disk, plain, cryptsetup) = (sear.path("disk"), sear.path("plain"), passphrase(&sear));
    filled_file(&plain, 1, PLAINTEXT);
    fs::copy(&plain, &disk).expect("the file can be copied");
    let file = OpenOptions::new().write(true).open(&disk).expect("the file can be opened");
    file.set_len(PLAINTEXT + ROOM_FOR_HEADER).expect("the file can grow");
    cryptsetup.encrypt_in_place(&disk, sector_size, None);

    sear.run().words("volume adopt").arg(&disk).arg("--passphrase-file").arg(cryptsetup.key_file()).ok();
    let served = sear.up(&disk, [""; 0]);
    assert_same_start(&served.uri(), &plain, &sear);
    served.stop();
    assert!(cryptsetup.opens(&disk), "adoption must keep the passphrase");
}

fn detached(sector_size: u32) {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let (disk, plain, header) = (sear.path("disk"), sear.path("plain"), sear.path("header"));
    let cryptsetup = passphrase(&sear);
    filled_file(&plain, 2, PLAINTEXT);
    fs::copy(&plain, &disk).expect("the file can be copied");
    cryptsetup.encrypt_in_place(&disk, sector_size, Some(&header));

    let adopt = sear.run().words("volume adopt").arg(&disk).arg("--header").arg(&header);
    adopt.arg("--passphrase-file").arg(cryptsetup.key_file()).ok();
    let served = sear.up(&disk, ["--header".as_ref(), header.as_os_str()]);
    assert_same_start(&served.uri(), &plain, &sear);
    served.stop();
    assert!(cryptsetup.opens(&header), "adoption must keep the passphrase");
}

fn passphrase(sear: &Sear) -> Cryptsetup {
    let file = sear.path("passphrase");
    fs::write(&file, "correct horse battery staple").expect("the file can be written");
    Cryptsetup::with_key_file(file)
}

/// The export begins with what `plain` holds; what follows is room that the header needed during the encryption.
fn assert_same_start(uri: &str, plain: &PathBuf, sear: &Sear) {
    let copy = sear.path("copy");
    Run::new("nbdcopy").arg(uri).arg(&copy).ok();
    let (copy, plain) = (fs::read(&copy).expect("readable"), fs::read(plain).expect("readable"));
    assert!(copy.len() >= plain.len(), "the export is too small: {}", copy.len());
    assert!(copy[..plain.len()] == plain[..], "the export does not hold the plaintext that cryptsetup encrypted");
}
