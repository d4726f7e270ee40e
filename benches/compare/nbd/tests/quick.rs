//! The comparison itself, for a moment: with `qemu-nbd`, which the set-up of the tests installs, and with Sear where the
//! environment variable `SEAR_BIN` names it.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::env;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs the program with its images and records in `folder`.
fn compare(folder: &Path, sear: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_compare-nbd"));
    command.args(["--quick", "--section", "latency", "--date", "1970-01-01"]);
    command.arg("--sear").arg(sear).arg("--plain").arg(folder.join("none"));
    command.arg("--memory").arg(folder).arg("--record").arg(folder.join("record")).output().unwrap()
}

fn record(folder: &Path) -> (Value, String) {
    let machine = folder.join("record").read_dir().unwrap().next().unwrap().unwrap().path();
    let folder = machine.join("1970-01-01/nbd");
    assert!(folder.join("latency.svg").exists());
    let results = std::fs::read(folder.join("results.json")).unwrap();
    (serde_json::from_slice(&results).unwrap(), std::fs::read_to_string(folder.join("README.md")).unwrap())
}

#[test]
fn who_is_here_is_measured_and_who_is_not_is_named() {
    for program in ["fio", "qemu-nbd"] {
        if Command::new(program).arg("--version").output().is_err() {
            eprintln!("skipped: `{program}` is not installed");
            return;
        }
    }
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let sear = env::var_os("SEAR_BIN");
    let missing = folder.path().join("no-such-sear");
    let output = compare(folder.path(), sear.as_deref().map_or(missing.as_path(), Path::new));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (results, text) = record(folder.path());
    let section = &results["sections"][0];
    let mut expected = vec!["qemu-nbd raw"];
    if sear.is_some() {
        expected.push("sear");
    } else {
        assert!(text.contains("Not here: sear: `no-such-sear` is not installed."), "{text}");
    }
    for case in section["cases"].as_array().unwrap() {
        let standings = case["standings"].as_array().unwrap();
        for name in &expected {
            let standing = standings.iter().find(|standing| standing["name"] == *name).unwrap();
            let tally = &standing["rounds"][0]["tally"];
            // One at a time: the time of one operation is what the rate leaves for it, at most.
            let (iops, mean_s) = (tally["iops"].as_f64().unwrap(), standing["rate"].as_f64().unwrap() / 1e6);
            assert!(iops > 0.0 && mean_s > 0.0 && iops * mean_s <= 1.05, "{name}: {standing}");
        }
    }
    assert!(text.contains("Not here: sear (plain): `none` is not installed."), "{text}");
}
