//! A metadata drive that fails while the daemon works: its filesystem has no room left.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sear_tests::rig::{Local, Need, Node, Run, require, wait_until};
use serde_json::{Value, json};

use crate::nbd_client::Client;

/// A small filesystem in memory, mounted over a folder.
struct Tmpfs(PathBuf);

impl Tmpfs {
    fn mount(folder: &Path) -> Self {
        Run::new("mount").words("-t tmpfs -o size=8M,mode=0700 none").arg(folder).ok();
        Self(folder.to_owned())
    }

    /// Uses up what room is left.
    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filled")).expect("a file can be made");
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    fn empty(&self) {
        fs::remove_file(self.0.join("filled")).expect("the file can be removed");
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        wait_until("the filesystem to be free", || Run::new("umount").arg(&self.0).succeeds());
    }
}

fn drives(local: &Local) -> Vec<String> {
    let listed = local.ok("ListDrives", json!({}));
    let status = |drive: &Value| drive["status"].as_str().unwrap_or_default().to_owned();
    listed["drives"].as_array().into_iter().flatten().map(status).collect()
}

fn faults(local: &Local) -> Vec<String> {
    let listed = local.ok("ListClusterFaults", json!({"faultTypes": "current"}));
    let code = |fault: &Value| fault["code"].as_str().unwrap_or_default().to_owned();
    listed["faults"].as_array().into_iter().flatten().map(code).collect()
}

#[test]
#[ignore = "mounts tmpfs as root"]
fn a_metadata_drive_that_fails_at_work_is_a_fault_and_add_drives_brings_it_back() {
    if !require(&[Need::Root, Need::Tmpfs]) {
        return;
    }
    let node = Node::with_drives(2);
    let tmpfs = Tmpfs::mount(&node.drives()[1]);
    let daemon = node.start();
    let local = &daemon.local;
    local.create_cluster("correct horse");
    let new = json!({"name": "vol", "accountID": 1, "totalSize": 1_024_000_000});
    local.ok("CreateVolume", new.clone());
    assert_eq!(drives(local), ["active", "active"]);

    tmpfs.fill();
    // Every call succeeds, before and after the drive has failed.
    let mut volumes = 1;
    wait_until("the drive to fail", || {
        local.ok("CreateVolume", new.clone());
        volumes += 1;
        drives(local) == ["active", "failed"]
    });
    assert_eq!(faults(local), ["sliceServiceUnhealthy"]);
    let served = |number: usize| Client::connect(&daemon.nbd(), &format!("vol.{number}"), false).is_ok();
    assert!(served(1) && served(volumes), "the daemon goes on");

    tmpfs.empty();
    let handle = local.ok("AddDrives", json!({"drives": [{"driveID": 2, "type": "slice"}]}))["asyncHandle"].clone();
    let result = local.wait_for(&handle);
    assert!(result.get("error").is_none(), "{result}");
    assert_eq!((drives(local), faults(local)), (vec!["active".to_owned(); 2], Vec::new()));
    daemon.stop();
    // What was written while the drive was away is on it now: it is enough for a start.
    fs::remove_file(node.drives()[0].join("state.redb")).expect("the first copy can be taken away");
    let daemon = node.start();
    let listed = daemon.local.ok("ListVolumes", json!({}))["volumes"].as_array().map_or(0, Vec::len);
    assert_eq!(listed, volumes);
    daemon.stop();
}
