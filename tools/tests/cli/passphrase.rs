//! `sear volume passwd`

use std::path::Path;

use crate::rig::{Ran, Rig, tool};

fn opens(path: &Path, passphrase: &Path) -> Option<Ran> {
    let (path, passphrase) = (path.to_str().unwrap(), passphrase.to_str().unwrap());
    tool("cryptsetup", ["open", "--test-passphrase", "--key-file", passphrase, path])
}

#[test]
fn a_passphrase_opens_the_volume_without_sear() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let passphrase = rig.file("passphrase", b"for the day sear is not there");
    let arguments = ["volume", "passwd", path.to_str().unwrap(), "--passphrase-file", passphrase.to_str().unwrap()];
    let changed = rig.run(["--json"].into_iter().chain(arguments)).json();
    assert_eq!((changed["keyslot"].as_i64(), changed["removed"].as_array().map(Vec::len)), (Some(1), Some(0)));
    let text = rig.run(["volume", "inspect", path.to_str().unwrap()]).ok();
    assert!(text.contains("argon2id"), "{text}");
    let Some(ran) = opens(&path, &passphrase) else { return };
    ran.ok();
}

#[test]
fn replacing_removes_the_other_passphrases_and_no_master_key() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let (old, new) = (rig.file("old", b"old"), rig.file("new", b"new"));
    let set = |passphrase: &Path, more: &[&str]| {
        let fixed = ["--json", "volume", "passwd", path.to_str().unwrap(), "--pbkdf", "pbkdf2", "--passphrase-file"];
        let arguments = fixed.into_iter().chain([passphrase.to_str().unwrap()]).chain(more.iter().copied());
        rig.run(arguments.collect::<Vec<_>>()).json()
    };
    set(&old, &[]);
    let changed = set(&new, &["--replace"]);
    assert_eq!(changed["removed"].as_array().unwrap(), &[1]);
    let seen = rig.run(["--json", "volume", "inspect", path.to_str().unwrap()]).json();
    let kdfs: Vec<_> = seen["keyslots"].as_array().unwrap().iter().map(|slot| slot["kdf"].as_str().unwrap()).collect();
    assert_eq!(kdfs, ["pbkdf2-sha256, 1000 iterations", "pbkdf2-sha256, 2000000 iterations"]);
    let (Some(old), Some(new)) = (opens(&path, &old), opens(&path, &new)) else { return };
    new.ok();
    assert_eq!(old.code, 2, "the old passphrase is gone");
}

#[test]
fn an_empty_passphrase_and_a_missing_file_are_refused() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let empty = rig.file("empty", b"");
    let passwd = |file: &str| rig.run(["volume", "passwd", path.to_str().unwrap(), "--passphrase-file", file]);
    passwd(empty.to_str().unwrap()).fails(2, &["empty passphrase"]);
    passwd("/no/such/file").fails(1, &["cannot read the passphrase from /no/such/file"]);
    rig.run(["volume", "passwd", path.to_str().unwrap()]).fails(2, &["no terminal"]);
}
