//! Volumes that cryptsetup made.

use std::path::PathBuf;

use crate::rig::{Rig, tool};

const FAST: [&str; 4] = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];

/// A LUKS2 volume with the passphrase `secret`; `None` without cryptsetup.
fn luks2(rig: &Rig) -> Option<(PathBuf, PathBuf)> {
    let (path, passphrase) = (rig.file("disk", b""), rig.file("passphrase", b"secret"));
    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(32 << 20).unwrap();
    let format = ["luksFormat", "-q", "--key-file", passphrase.to_str()?, path.to_str()?];
    tool("cryptsetup", format.into_iter().chain(FAST))?.ok();
    Some((path, passphrase))
}

#[test]
fn a_plain_luks2_volume_is_pointed_to_adopt() {
    let rig = Rig::new();
    let Some((path, _)) = luks2(&rig) else { return };
    rig.run(["up", path.to_str().unwrap()]).fails(7, &["no master key opens", "sear volume adopt"]);
    rig.run(["up", path.to_str().unwrap(), "--force"]).fails(7, &["sear volume adopt"]);
}

#[test]
fn adopting_wants_the_right_passphrase_and_keeps_it() {
    let rig = Rig::new();
    let Some((path, passphrase)) = luks2(&rig) else { return };
    let (path, passphrase) = (path.to_str().unwrap(), passphrase.to_str().unwrap());
    let wrong = rig.file("wrong", b"secret\n");
    rig.run(["volume", "adopt", path, "--passphrase-file", wrong.to_str().unwrap()]).fails(4, &["passphrase"]);
    rig.run(["volume", "adopt", path]).fails(2, &["no terminal", "--passphrase-file"]);
    let adopted = rig.run(["--json", "volume", "adopt", path, "--passphrase-file", passphrase]).json();
    let list = rig.run(["--json", "volume", "list"]).json();
    assert_eq!(list["volumes"][0]["uuid"], adopted["uuid"]);
    rig.run(["volume", "adopt", path, "--passphrase-file", passphrase]).fails(3, &["already has a keyslot"]);
    tool("cryptsetup", ["open", "--test-passphrase", "--key-file", passphrase, path]).unwrap().ok();
}

#[test]
fn adopting_what_is_no_luks2_volume_is_refused() {
    let rig = Rig::new();
    let notes = rig.file("notes", b"dear diary");
    rig.run(["volume", "adopt", notes.to_str().unwrap()]).fails(5, &["is not a LUKS2 volume"]);
    let luks1 = rig.file("luks1", b"");
    std::fs::OpenOptions::new().write(true).open(&luks1).unwrap().set_len(8 << 20).unwrap();
    let key = rig.file("key", b"secret");
    let format = ["luksFormat", "-q", "--type", "luks1", "--pbkdf-force-iterations", "1000", "--key-file"];
    let arguments = format.into_iter().chain([key.to_str().unwrap(), luks1.to_str().unwrap()]);
    let Some(ran) = tool("cryptsetup", arguments) else { return };
    ran.ok();
    rig.run(["up", luks1.to_str().unwrap()]).fails(3, &["a LUKS1 volume"]);
}
