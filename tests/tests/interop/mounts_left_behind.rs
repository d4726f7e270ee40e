//! A server that is killed under a mounted filesystem: what is left can be taken down, and what was synced is there.

use std::fs::File;
use std::io::Write;

use rustix::process::{Pid, Signal, kill_process};
use sear_tests::rig::{Sear, pattern, require, wait_until};
use serde_json::Value;

use super::mounts::{NEEDS, assert_clean, mount};

#[test]
#[ignore = "mounts as root"]
fn umount_takes_down_what_a_killed_server_left_and_synced_files_survive() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    kill_under_load(&sear, &["--size", "64M", "--mkfs", "ext4"]);
    let told = sear.run().arg("umount").arg(sear.path("dir")).ok();
    assert!(told.contains("dead server"), "{told}");
    assert_clean(&sear);
    mount(&sear, &[]).ok();
    assert_synced(&sear);
    sear.run().arg("umount").arg(sear.path("dir")).ok();
    assert_clean(&sear);
}

#[test]
#[ignore = "mounts as root"]
fn mount_takes_down_what_a_killed_server_left_by_itself() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    kill_under_load(&sear, &["--size", "64M", "--mkfs", "ext4"]);
    mount(&sear, &[]).ok();
    assert_synced(&sear);
    sear.run().arg("umount").arg(sear.path("dir")).ok();
    assert_clean(&sear);
}

#[test]
#[ignore = "mounts as root"]
fn serving_over_nbd_takes_down_what_a_killed_server_left_mounted() {
    if !require(&NEEDS) {
        return;
    }
    let sear = Sear::new();
    kill_under_load(&sear, &["--size", "64M", "--mkfs", "ext4"]);
    sear.up(&sear.path("disk"), [""; 0]).stop();
    assert_clean(&sear);
}

/// Mounts, syncs one file, leaves another in the caches, and kills the server.
fn kill_under_load(sear: &Sear, options: &[&str]) {
    let text = mount(sear, options).arg("--json").ok();
    let mounted: Value = serde_json::from_str(&text).expect("sear prints JSON");
    let server = i32::try_from(mounted["server"].as_i64().expect("a process id")).expect("a process id");
    let dir = sear.path("dir");
    let mut synced = File::create(dir.join("synced")).expect("the file can be made");
    synced.write_all(&pattern(8, 1 << 20)).expect("the file can be written");
    synced.sync_all().expect("the file can be synced");
    File::open(&dir).expect("the folder can be opened").sync_all().expect("the file can be synced");
    std::fs::write(dir.join("cached"), pattern(9, 1 << 20)).expect("the file can be written");
    kill_process(Pid::from_raw(server).expect("the server runs"), Signal::KILL).expect("the server runs");
    wait_until("the server to be gone", || gone(server));
}

/// Whether all of a process's threads have ended; the first is a zombie until its parent looks, the others may take longer.
fn gone(process: i32) -> bool {
    let first_has_ended =
        std::fs::read_to_string(format!("/proc/{process}/status")).map_or(true, |status| status.contains("State:\tZ"));
    let others = std::fs::read_dir(format!("/proc/{process}/task")).map_or(0, |threads| threads.skip(1).count());
    first_has_ended && others == 0
}

fn assert_synced(sear: &Sear) {
    let found = std::fs::read(sear.path("dir").join("synced")).expect("the file can be read");
    assert!(found == pattern(8, 1 << 20), "a synced file has changed");
}
