//! Master keys: the right one, none, another node's; and what cryptsetup makes of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::rig::{Rig, tool};

#[test]
fn the_exported_key_opens_the_volume_in_cryptsetup() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let key = rig.path("key");
    let arguments = ["volume", "export-key", path.to_str().unwrap(), "--output", key.to_str().unwrap()];
    rig.run(arguments).ok();
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&key).unwrap().len(), 32);
    rig.run(arguments).fails(3, &["exists already"]);
    let open = ["open", "--test-passphrase", "--key-file", key.to_str().unwrap(), path.to_str().unwrap()];
    let Some(ran) = tool("cryptsetup", open) else { return };
    ran.ok();
}

#[test]
fn another_nodes_volume_names_the_key_and_the_place_that_lacks_it() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let made = rig.run(["--json", "volume", "inspect", path.to_str().unwrap()]).json();
    let key_id = made["tokens"][0]["key_id"].as_str().unwrap().to_owned();
    let other = Rig::new();
    let state = other.state_dir();
    for verb in [&["up"][..], &["volume", "passwd"]] {
        let ran = other.run(verb.iter().copied().chain([path.to_str().unwrap()]));
        ran.fails(7, &[&key_id, state.to_str().unwrap(), "--state-dir"]);
    }
}

#[test]
fn a_header_that_was_tampered_with_exits_4() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let path = path.to_str().unwrap();
    let Some(ran) = tool("cryptsetup", ["token", "export", "--token-id", "0", path]) else { return };
    let mut token: serde_json::Value = serde_json::from_str(&ran.ok()).unwrap();
    let salt = token["salt"].as_str().unwrap();
    let first = if salt.starts_with('A') { "B" } else { "A" };
    token["salt"] = format!("{first}{}", &salt[1..]).into();
    let json = rig.file("token", token.to_string().as_bytes());
    tool("cryptsetup", ["token", "remove", "--token-id", "0", path]).unwrap().ok();
    tool("cryptsetup", ["token", "import", "--token-id", "0", "--json-file", json.to_str().unwrap(), path])
        .unwrap()
        .ok();
    rig.run(["up", path]).fails(4, &["salt"]);
}

#[test]
fn an_error_as_json_has_kind_code_and_hint() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let other = Rig::new();
    let ran = other.run(["--json", "volume", "passwd", path.to_str().unwrap()]);
    assert_eq!(ran.code, 7);
    let error = serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap()["error"].take();
    assert_eq!((error["kind"].as_str(), error["exit_code"].as_i64()), (Some("key-missing"), Some(7)));
    assert!(error["message"].as_str().unwrap().contains("needs master key"));
    assert!(error["hint"].as_str().unwrap().contains("--state-dir"));
}
