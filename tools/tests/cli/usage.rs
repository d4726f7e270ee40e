//! Wrong command lines, help, and what is generated from the command.

use crate::rig::Rig;

#[test]
fn a_wrong_command_line_exits_2_with_text_or_json() {
    let rig = Rig::new();
    rig.run(["up"]).fails(2, &["Usage: sear up"]);
    rig.run(["up", "x", "--size", "1.5G"]).fails(2, &["unknown unit"]);
    rig.run(["up", "x", "--listen", "udp:1"]).fails(2, &["expected unix:SOCKET or tcp:HOST:PORT"]);
    rig.run(["up", "x", "--sector-size", "1000"]).fails(2, &["sector size 1000 is not one of"]);
    rig.run(["up", "x", "--tls-cert", "c"]).fails(2, &["--tls-key"]);
    let ran = rig.run(["--json", "no-such-verb"]);
    assert_eq!(ran.code, 2);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["error"]["kind"], "usage");
    assert_eq!(document["error"]["exit_code"], 2);
    assert!(!rig.state_dir().exists(), "a wrong command line makes no state");
}

#[test]
fn help_and_version_succeed_on_standard_output() {
    let rig = Rig::new();
    assert!(rig.run(["--help"]).ok().contains("Exit codes:"));
    assert!(rig.run(["--version"]).ok().starts_with("sear "));
    assert!(rig.run(["volume", "create", "--help"]).ok().contains("--size"));
    assert!(!rig.state_dir().exists());
}

#[test]
fn completions_name_every_verb() {
    let rig = Rig::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = rig.run(["completions", shell]).ok();
        for verb in ["up", "volume", "doctor", "backup-header", "passwd", "bench"] {
            assert!(script.contains(verb), "{shell}: {verb}");
        }
    }
}

#[test]
fn the_bash_completions_are_a_script_that_bash_accepts() {
    let rig = Rig::new();
    let script = rig.file("completions", rig.run(["completions", "bash"]).ok().as_bytes());
    let Some(ran) = crate::rig::tool("bash", [std::path::Path::new("-n"), &script]) else { return };
    ran.ok();
}

#[test]
fn man_writes_a_page_for_every_verb() {
    let rig = Rig::new();
    let page = rig.run(["man"]).ok();
    assert!(page.contains(".TH sear 1"), "{page}");
    assert!(page.contains("Exit codes"));
    rig.run(["man", rig.path("man").to_str().unwrap()]).ok();
    for page in
        ["sear.1", "sear-up.1", "sear-doctor.1", "sear-volume.1", "sear-volume-restore-header.1", "sear-bench-cipher.1"]
    {
        assert!(rig.path("man").join(page).is_file(), "{page}");
    }
}

#[test]
fn doctor_says_of_each_thing_what_it_means_and_changes_nothing() {
    let rig = Rig::new();
    let diagnosis = rig.run(["doctor", "--json"]).json();
    let checks = diagnosis["checks"].as_array().unwrap();
    for name in [
        "cpu",
        "config",
        "cipher",
        "self-test",
        "engines",
        "io_uring",
        "fuse",
        "nbdfuse",
        "loop",
        "nbd",
        "ublk",
        "vhost",
        "tpm",
        "memory-lock",
        "swap",
        "core-dumps",
        "entropy",
    ] {
        let check = checks.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no check {name}"));
        assert!(!check["meaning"].as_str().unwrap().is_empty());
        let is_good = check["level"] == "good";
        assert_eq!(is_good, check.get("change").is_none(), "what is not good has a change: {check}");
    }
    assert!(rig.run(["doctor"]).ok().contains("cpu"));
    assert!(!rig.state_dir().exists());
}
