//! Keyslots of every kind, exchanged with cryptsetup.

use std::fs::{self, File};
use std::path::PathBuf;

use sear_tests::rig::{Cryptsetup, Need, Run, Sear, require};

const NEEDS: [Need; 1] = [Need::Tool("cryptsetup")];

#[test]
fn a_pbkdf2_sha256_keyslot_of_cryptsetup_is_adopted() {
    adopts("--pbkdf pbkdf2 --pbkdf-force-iterations 1000");
}

#[test]
fn a_pbkdf2_sha512_keyslot_of_cryptsetup_is_adopted() {
    adopts("--hash sha512 --pbkdf pbkdf2 --pbkdf-force-iterations 1000");
}

#[test]
fn a_pbkdf2_sha1_keyslot_of_cryptsetup_is_adopted() {
    adopts("--hash sha1 --pbkdf pbkdf2 --pbkdf-force-iterations 1000");
}

#[test]
fn an_argon2i_keyslot_of_cryptsetup_is_adopted() {
    adopts("--pbkdf argon2i --pbkdf-memory 65536 --pbkdf-parallel 2 --pbkdf-force-iterations 4");
}

#[test]
fn an_argon2id_keyslot_of_cryptsetup_is_adopted() {
    adopts("--pbkdf argon2id --pbkdf-memory 65536 --pbkdf-parallel 4 --pbkdf-force-iterations 4");
}

#[test]
fn json_areas_of_every_size_are_adopted() {
    for kibibytes in [16, 32, 64, 128, 256, 512, 1024, 2048, 4096] {
        adopts(&format!("--luks2-metadata-size {kibibytes}k --pbkdf pbkdf2 --pbkdf-force-iterations 1000"));
    }
}

#[test]
fn a_passphrase_that_we_add_opens_the_volume_in_cryptsetup() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let (disk, file) = (sear.path("disk"), sear.path("passphrase"));
    sear.run().words("volume create --size 1M").arg(&disk).ok();
    fs::write(&file, "a day without Sear").expect("the file can be written");
    sear.run().words("volume passwd").arg(&disk).arg("--passphrase-file").arg(&file).ok();
    assert!(Cryptsetup::with_key_file(file).opens(&disk));
    assert!(Cryptsetup::with_key_file(sear.export_key(&disk)).opens(&disk), "our own keyslot must stay");
}

#[test]
fn keyslots_and_tokens_that_cryptsetup_adds_survive_our_changes() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, disk, theirs, _) = with_a_keyslot_of_cryptsetup();
    let token = sear.path("token.json");
    fs::write(&token, r#"{"type":"example","keyslots":["1"],"note":"keep me"}"#).expect("the file can be written");
    Run::new("cryptsetup").words("token import --json-file").arg(&token).arg(&disk).ok();

    let passphrase = sear.path("passphrase");
    fs::write(&passphrase, "one more").expect("the file can be written");
    sear.run().words("volume passwd").arg(&disk).arg("--passphrase-file").arg(&passphrase).ok();

    assert!(Cryptsetup::with_key_file(theirs).opens(&disk), "the keyslot of cryptsetup is gone");
    let metadata = Cryptsetup::metadata(&disk);
    let tokens = metadata["tokens"].as_object().expect("tokens are an object");
    assert!(tokens.values().any(|token| token["note"] == "keep me"), "the foreign token is gone: {metadata}");
}

#[test]
fn a_volume_opens_by_its_master_key_whatever_cryptsetup_does_to_other_keyslots() {
    if !require(&NEEDS) {
        return;
    }
    let (sear, disk, _, ours) = with_a_keyslot_of_cryptsetup();
    sear.up(&disk, [""; 0]).stop();
    ours.run().words("config --priority prefer --key-slot 1").arg(&disk).ok();
    sear.up(&disk, [""; 0]).stop();
    ours.run().words("config --label renamed").arg(&disk).ok();
    sear.up(&disk, [""; 0]).stop();
    ours.run().words("luksKillSlot").arg(&disk).arg("1").ok();
    sear.up(&disk, [""; 0]).stop();
}

#[test]
fn a_reencryption_that_was_begun_is_refused_by_name() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let (disk, passphrase) = empty_disk(&sear);
    passphrase.format(&disk, 4096, "--pbkdf pbkdf2 --pbkdf-force-iterations 1000");
    let reencrypt = "reencrypt --init-only --force-offline-reencrypt --pbkdf pbkdf2 --pbkdf-force-iterations 1000";
    passphrase.run().words(reencrypt).arg(&disk).ok();
    let mandatory = Cryptsetup::metadata(&disk)["config"]["requirements"]["mandatory"].to_string();
    assert!(mandatory.contains("online-reencrypt"), "cryptsetup began none: {mandatory}");
    let failure =
        sear.run().words("volume adopt").arg(&disk).arg("--passphrase-file").arg(passphrase.key_file()).fails();
    assert_eq!(failure.code, Some(5), "{}", failure.output);
    assert!(failure.output.contains("reencryption"), "{}", failure.output);
}

#[test]
fn a_volume_whose_keyslots_cryptsetup_erased_is_refused() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let disk = sear.path("disk");
    sear.run().words("volume create --size 1M").arg(&disk).ok();
    Run::new("cryptsetup").words("--batch-mode luksErase").arg(&disk).ok();
    let failure = sear.run().arg("up").arg(&disk).fails();
    assert!(matches!(failure.code, Some(4 | 5 | 7)), "{:?}: {}", failure.code, failure.output);
}

/// A volume of ours to which cryptsetup added keyslot 1: the volume, the file with that key, and our own key.
fn with_a_keyslot_of_cryptsetup() -> (Sear, PathBuf, PathBuf, Cryptsetup) {
    let sear = Sear::new();
    let (disk, theirs) = (sear.path("disk"), sear.path("theirs"));
    sear.run().words("volume create --size 1M").arg(&disk).ok();
    fs::write(&theirs, "added by cryptsetup").expect("the file can be written");
    let ours = Cryptsetup::with_key_file(sear.export_key(&disk));
    ours.run().words("luksAddKey --pbkdf pbkdf2 --pbkdf-force-iterations 1000").arg(&disk).arg(&theirs).ok();
    (sear, disk, theirs, ours)
}

/// A volume with one passphrase keyslot, formatted by cryptsetup with these options, is adopted and then has both keys.
fn adopts(options: &str) {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    let (disk, cryptsetup) = empty_disk(&sear);
    cryptsetup.format(&disk, 4096, options);
    sear.run().words("volume adopt").arg(&disk).arg("--passphrase-file").arg(cryptsetup.key_file()).ok();
    assert!(Cryptsetup::with_key_file(sear.export_key(&disk)).opens(&disk), "our keyslot after {options}");
    assert!(cryptsetup.opens(&disk), "the passphrase after {options}");
}

fn empty_disk(sear: &Sear) -> (PathBuf, Cryptsetup) {
    let (disk, passphrase) = (sear.path("disk"), sear.path("passphrase"));
    File::create(&disk).and_then(|file| file.set_len(64 << 20)).expect("the file can be made");
    fs::write(&passphrase, "correct horse battery staple").expect("the file can be written");
    (disk, Cryptsetup::with_key_file(passphrase))
}
