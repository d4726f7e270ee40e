//! `sear volume erase`

use std::fs;

use crate::rig::{Rig, tool};

#[test]
fn erasing_needs_a_confirmation() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let before = fs::read(&path).unwrap();
    rig.run(["volume", "erase", path.to_str().unwrap()]).fails(2, &["no terminal", "--yes"]);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn an_erased_volume_is_no_volume_and_is_forgotten() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let erased = rig.run(["--json", "volume", "erase", path.to_str().unwrap(), "--yes"]).json();
    assert_eq!(erased["no_header_found"], true);
    assert_eq!(rig.run(["--json", "volume", "list"]).json()["volumes"].as_array().map(Vec::len), Some(0));
    rig.run(["volume", "inspect", path.to_str().unwrap()]).fails(5, &["is not a LUKS2 volume"]);
    rig.run(["up", path.to_str().unwrap()]).fails(3, &["is not empty"]);
    let Some(ran) = tool("cryptsetup", ["luksDump", path.to_str().unwrap()]) else { return };
    assert_ne!(ran.code, 0);
}
