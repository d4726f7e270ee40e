//! Questions on a terminal: no echo, corrections, giving up.

use std::path::Path;

use crate::rig::{Ran, Rig, tool};

/// Runs `sear volume VERB PATH` on a terminal and answers its questions; `None` without python3.
fn on_a_terminal(rig: &Rig, verb: &str, volume: &Path, dialogue: &[&str]) -> Option<Ran> {
    let (script, state) = (concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/ask.py"), rig.state_dir());
    let sear = [env!("CARGO_BIN_EXE_sear"), "--quiet", "--state-dir", state.to_str().unwrap()];
    let verb = ["volume", verb, volume.to_str().unwrap()];
    tool("python3", [script].iter().chain(dialogue).chain(&["--"]).chain(&sear).chain(&verb))
}

#[test]
fn a_typed_passphrase_is_not_shown_and_can_be_corrected() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let dialogue = ["New passphrase: ", "correct horsf\u{7f}e\n", "Again: ", "correct horse\n"];
    let Some(ran) = on_a_terminal(&rig, "passwd", &path, &dialogue) else { return };
    assert!(!ran.ok().contains("horse"), "the passphrase is shown");
    let passphrase = rig.file("passphrase", b"correct horse");
    let open = ["open", "--test-passphrase", "--key-file", passphrase.to_str().unwrap(), path.to_str().unwrap()];
    let Some(ran) = tool("cryptsetup", open) else { return };
    ran.ok();
}

#[test]
fn passphrases_that_differ_and_a_prompt_given_up_change_nothing() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let before = std::fs::read(&path).unwrap();
    let (first, second) = ("New passphrase: ", "Again: ");
    for (dialogue, code, message) in [
        (&[first, "one\n", second, "two\n"][..], 2, "the two passphrases differ"),
        (&[first, "one\u{3}"], 3, "given up at the prompt"),
        (&[first, "\n", second, "\n"], 2, "an empty passphrase"),
    ] {
        let Some(ran) = on_a_terminal(&rig, "passwd", &path, dialogue) else { return };
        assert_eq!(ran.code, code, "{}", ran.stdout);
        assert!(ran.stdout.contains(message), "no {message:?} in {}", ran.stdout);
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn erasing_goes_on_only_with_the_volumes_uuid() {
    let rig = Rig::new();
    let path = rig.volume("disk");
    let uuid = rig.run(["--json", "volume", "inspect", path.to_str().unwrap()]).json()["uuid"].take();
    let Some(ran) = on_a_terminal(&rig, "erase", &path, &["to go on: ", "yes\n"]) else { return };
    assert_eq!(ran.code, 3, "{}", ran.stdout);
    rig.run(["volume", "inspect", path.to_str().unwrap()]).ok();
    let typed = format!("{}\n", uuid.as_str().unwrap());
    on_a_terminal(&rig, "erase", &path, &["to go on: ", &typed]).unwrap().ok();
    rig.run(["volume", "inspect", path.to_str().unwrap()]).fails(5, &[]);
}
