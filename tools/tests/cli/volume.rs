//! Making, looking at, listing.

use std::fs;

use crate::rig::{Rig, tool};

#[test]
fn a_volume_is_made_listed_and_inspected() {
    let rig = Rig::new();
    let path = rig.path("disk");
    let path = path.to_str().unwrap();
    let made = rig.run(["--json", "volume", "create", path, "--size", "8M", "--label", "archive"]).json();
    let seen = rig.run(["--json", "volume", "inspect", path]).json();
    assert_eq!(seen["uuid"], made["uuid"]);
    assert_eq!(seen["label"], "archive");
    let list = rig.run(["--json", "volume", "list"]).json();
    let [volume] = list["volumes"].as_array().unwrap().as_slice() else { panic!("one volume, not {list}") };
    assert_eq!(volume["uuid"], made["uuid"]);
    assert_eq!(volume["key_id"], made["key_id"]);
    assert_eq!((volume["present"].as_bool(), volume["served"].as_bool()), (Some(true), Some(false)));
    fs::remove_file(path).unwrap();
    assert!(rig.run(["volume", "list"]).ok().contains("missing"));
}

#[test]
fn inspect_tells_people_the_same_without_any_key() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let other = Rig::new();
    let text = other.run(["volume", "inspect", path.to_str().unwrap()]).ok();
    for word in ["uuid", "keyslot", "aes-xts-plain64", "master key", "4096"] {
        assert!(text.contains(word), "no {word} in: {text}");
    }
    assert!(!other.state_dir().exists(), "inspect makes no state");
}

#[test]
fn what_is_no_volume_exits_5() {
    let rig = Rig::new();
    let notes = rig.file("notes", b"dear diary");
    rig.run(["volume", "inspect", notes.to_str().unwrap()]).fails(5, &["is not a LUKS2 volume"]);
    let path = rig.volume("disk");
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..600].fill(7);
    bytes[0x4000 + 100..0x4000 + 600].fill(7);
    fs::write(&path, bytes).unwrap();
    rig.run(["volume", "inspect", path.to_str().unwrap()]).fails(5, &[]);
    rig.run(["up", path.to_str().unwrap()]).fails(5, &[]);
    rig.run(["volume", "inspect", "/no/such/file"]).fails(2, &["does not exist"]);
}

#[test]
fn quiet_confirms_nothing_and_still_answers() {
    let rig = Rig::new();
    let path = rig.path("disk");
    let path = path.to_str().unwrap();
    assert_eq!(rig.run(["-q", "volume", "create", path, "--size", "8M"]).ok(), "");
    assert!(rig.run(["-q", "volume", "list"]).ok().contains(path));
}

#[test]
fn a_detached_header_leaves_the_data_file_to_ciphertext() {
    let rig = Rig::new();
    let (data, header) = (rig.path("data"), rig.path("header"));
    let arguments = [data.to_str().unwrap(), "--header", header.to_str().unwrap()];
    rig.run(["volume", "create"].into_iter().chain(arguments).chain(["--size", "8M"])).ok();
    assert_eq!(fs::metadata(&data).unwrap().len(), 8 << 20);
    assert!(fs::read(&data).unwrap().iter().all(|byte| *byte == 0));
    rig.run(["volume", "inspect"].into_iter().chain(arguments)).ok();
    rig.run(["volume", "inspect", data.to_str().unwrap()]).fails(5, &["is not a LUKS2 volume"]);
    let Some(ran) = tool("cryptsetup", ["luksDump", header.to_str().unwrap()]) else { return };
    assert!(ran.ok().contains("sear"));
}

#[test]
fn a_header_is_saved_and_brought_back() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let path = path.to_str().unwrap();
    let (backup, other) = (rig.path("backup"), rig.volume("other"));
    let backup = backup.to_str().unwrap();
    rig.run(["volume", "backup-header", path, backup]).ok();
    rig.run(["volume", "backup-header", path, backup]).fails(3, &["exists already"]);
    let mut bytes = fs::read(path).unwrap();
    bytes[..0x8000].fill(0);
    fs::write(path, &bytes).unwrap();
    rig.run(["volume", "inspect", path]).fails(5, &[]);
    rig.run(["volume", "restore-header", path, backup, "--force"]).ok();
    rig.run(["volume", "inspect", path]).ok();
    rig.run(["volume", "restore-header", other.to_str().unwrap(), backup]).fails(3, &["not restored"]);
    rig.run(["volume", "inspect", other.to_str().unwrap()]).ok();
}
