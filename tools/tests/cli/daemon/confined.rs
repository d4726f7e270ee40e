//! What a running daemon has given up, seen from beside it; what it is refused is tried in `tools/src/hardening/tests.rs`.

use std::fs;

use super::{api, create_volume, io, rig, uri};
use crate::rig::{Up, tool};

/// The named fields of every thread.
fn of_threads(daemon: &Up, names: [&str; 3]) -> Vec<[String; 3]> {
    let tasks = fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap();
    let status = |task: fs::DirEntry| {
        let status = fs::read_to_string(task.path().join("status")).unwrap_or_default();
        names.map(|name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        })
    };
    // One that has ended meanwhile has no fields.
    tasks.map(|task| status(task.unwrap())).filter(|fields| !fields[0].is_empty()).collect()
}

#[test]
fn every_thread_is_confined_while_it_does_everything_that_a_daemon_does() {
    if tool("qemu-io", ["--version"]).is_none() {
        return;
    }
    let rig = rig();
    let (daemon, log) = rig.daemon_with_log();
    create_volume(&rig);
    io(&uri(&rig, "vol.1"), ["write -P 0xa5 1M 64k", "flush", "read -P 0xa5 1M 64k", "write -z 0 64k"]);
    api(&rig, "ModifyVolume", r#"{"volumeID":1,"totalSize":2000000000}"#);
    rig.run(["keys", "backup", "1"]).ok();
    rig.run(["rekey", "--now"]).ok();
    api(&rig, "DeleteVolume", r#"{"volumeID":1}"#);
    api(&rig, "PurgeDeletedVolume", r#"{"volumeID":1}"#);
    let threads = of_threads(&daemon, ["NoNewPrivs:", "Seccomp:", "CapPrm:"]);
    assert!(threads.len() >= 8, "{threads:?}");
    for [privileges, seccomp, capabilities] in &threads {
        assert_eq!((privileges.as_str(), seccomp.as_str()), ("1", "2"));
        let only_locking = ["0000000000000000", "0000000000004000"];
        assert!(only_locking.contains(&capabilities.as_str()), "{capabilities}");
    }
    daemon.stop();
    let log = fs::read_to_string(log).unwrap();
    let warnings = log.lines().filter(|line| line.contains("WARN") || line.contains("ERROR"));
    let expected = ["memory is not locked", "io_uring is not to be had"];
    let unexpected: Vec<_> = warnings.filter(|line| !expected.iter().any(|words| line.contains(words))).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}
