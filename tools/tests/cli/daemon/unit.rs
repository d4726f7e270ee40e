//! The unit file for systemd, as systemd reads it.

use std::fs;
use std::path::PathBuf;

use crate::rig::{Rig, tool};

fn unit() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/systemd/sear.service").into()
}

/// The unit with a program that is there: the one under test.
fn installed(rig: &Rig) -> PathBuf {
    let text = fs::read_to_string(unit()).unwrap();
    assert!(text.contains("ExecStart=/usr/bin/sear daemon\n"));
    rig.file("sear.service", text.replace("/usr/bin/sear", env!("CARGO_BIN_EXE_sear")).as_bytes())
}

#[test]
fn systemd_finds_nothing_wrong_with_it() {
    let rig = Rig::new();
    let unit = installed(&rig);
    let arguments = ["verify", "--man=no", "--recursive-errors=no", unit.to_str().unwrap()];
    let Some(verified) = tool("systemd-analyze", arguments) else { return };
    let about_us = verified.stderr.lines().filter(|line| line.contains("sear.service"));
    assert_eq!((verified.code, about_us.collect::<Vec<_>>()), (0, vec![]), "{}", verified.stderr);
}

#[test]
fn systemd_calls_its_exposure_small() {
    let rig = Rig::new();
    let unit = installed(&rig);
    // In tenths. The rest is what it needs: the network, files of its own, io_uring, ports below 1024, locked memory.
    let arguments = ["security", "--offline=true", "--no-pager", "--threshold=25", unit.to_str().unwrap()];
    let Some(judged) = tool("systemd-analyze", arguments) else { return };
    assert_eq!(judged.code, 0, "{}{}", judged.stdout, judged.stderr);
}

#[test]
fn it_stops_and_restarts_as_the_daemon_does() {
    let text = fs::read_to_string(unit()).unwrap();
    let of = |key: &str| text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect::<Vec<_>>();
    for (key, value) in [
        ("Type", "notify"),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("Restart", "on-failure"),
        ("StateDirectory", "sear"),
        ("StateDirectoryMode", "0700"),
        ("LimitCORE", "0"),
        ("NoNewPrivileges", "yes"),
    ] {
        assert_eq!(of(key), [value], "{key}");
    }
    let watchdog: u32 = of("WatchdogSec")[0].parse().unwrap();
    let patience: u32 = of("TimeoutStopSec")[0].parse().unwrap();
    assert!(watchdog >= 10 && patience > 60, "a client is cut after 30 seconds, and again after 30");
}
