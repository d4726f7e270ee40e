//! A rekey while the file of one volume takes no writes: it is read-only, or its filesystem has no room left. The others
//! follow at once, this one when it is well again, and only then the old key ends.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sear_tests::rig::{Daemon, Local, Need, Node, Run, require, wait_until};
use serde_json::{Value, json};

use crate::nbd_client::Client;

const VOLUMES: usize = 3;

/// Something mounted. Dropped, it is unmounted.
struct Mount(PathBuf);

impl Mount {
    /// A file over another one, or over itself.
    fn bind(file: &Path, over: &Path) -> Self {
        Run::new("mount").words("--bind").arg(file).arg(over).ok();
        Self(over.to_owned())
    }

    /// A small ext4, made now.
    fn ext4(image: &Path, folder: &Path) -> Self {
        fs::File::create(image).and_then(|file| file.set_len(64 << 20)).expect("an image can be made");
        Run::new("mkfs.ext4").words("-q -F -m 0").arg(image).ok();
        fs::create_dir(folder).expect("a folder can be made");
        Run::new("mount").words("-o loop").arg(image).arg(folder).ok();
        Self(folder.to_owned())
    }

    fn set_read_only(&self, is_read_only: bool) {
        let how = if is_read_only { "-o remount,bind,ro" } else { "-o remount,bind,rw" };
        Run::new("mount").words(how).arg(&self.0).ok();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        wait_until("the mount to be free", || Run::new("umount").arg(&self.0).succeeds());
    }
}

fn set_up(local: &Local) -> PathBuf {
    local.create_cluster("correct horse");
    let mut first = String::new();
    for _ in 0..VOLUMES {
        let new = json!({"name": "vol", "accountID": 1, "totalSize": 1_024_000_000_u64});
        let made = local.ok("CreateVolume", new)["volume"]["volumeUUID"].clone();
        if first.is_empty() {
            made.as_str().expect("a volume has a UUID").clone_into(&mut first);
        }
    }
    PathBuf::from(format!("{first}.sear"))
}

fn keys(local: &Local) -> Vec<(String, u64)> {
    let listed = local.ok("ListMasterKeys", json!({}));
    let key = |key: &Value| {
        (key["state"].as_str().unwrap_or_default().to_owned(), key["dependants"].as_u64().unwrap_or(u64::MAX))
    };
    let mut keys: Vec<_> = listed["masterKeys"].as_array().into_iter().flatten().map(key).collect();
    keys.sort();
    keys
}

fn faults(local: &Local) -> Vec<(String, String)> {
    let listed = local.ok("ListClusterFaults", json!({"faultTypes": "current"}));
    let words = |fault: &Value, name: &str| fault[name].as_str().unwrap_or_default().to_owned();
    let fault = |fault: &Value| (words(fault, "code"), words(fault, "details"));
    listed["faults"].as_array().into_iter().flatten().map(fault).collect()
}

/// A rekey that leaves volume 1 behind; what its fault says.
fn rekey_without_the_first(daemon: &Daemon) -> String {
    let local = &daemon.local;
    let handle = local.ok("RekeySoftwareEncryptionAtRestMasterKey", json!({}))["asyncHandle"].clone();
    let result = local.wait_for(&handle);
    assert_eq!(result["result"]["leftBehind"], json!(["volume 1"]), "{result}");
    let told = faults(local);
    assert!(told.len() == 1 && told[0].0 == "rekeyIncomplete" && told[0].1.contains("volume 1"), "{told:?}");
    assert_eq!(keys(local), [("active".to_owned(), 3), ("toDecommission".to_owned(), 1)]);
    for number in 1..=VOLUMES {
        assert!(Client::connect(&daemon.nbd(), &format!("vol.{number}"), false).is_ok(), "volume {number} is served");
    }
    told[0].1.clone()
}

fn follows(daemon: &Daemon) {
    wait_until("the volume to follow and the old key to end", || {
        keys(&daemon.local) == [("active".to_owned(), 3), ("destroyed".to_owned(), 0)]
            && faults(&daemon.local).is_empty()
    });
}

fn file_of(node: &Node, name: &Path) -> PathBuf {
    node.sear().state_dir().join("volumes").join(name)
}

#[test]
#[ignore = "mounts as root"]
fn a_volume_whose_file_is_read_only_is_left_behind_by_a_rekey_and_follows() {
    if !require(&[Need::Root]) {
        return;
    }
    let node = Node::new();
    let daemon = node.start();
    let file = file_of(&node, &set_up(&daemon.local));
    let mount = Mount::bind(&file, &file);
    mount.set_read_only(true);
    let fault = rekey_without_the_first(&daemon);
    assert!(fault.contains("Read-only file system"), "{fault}");
    mount.set_read_only(false);
    follows(&daemon);
    daemon.stop();
    drop(mount);
    let daemon = node.start();
    assert!(Client::connect(&daemon.nbd(), "vol.1", false).is_ok(), "it opens with the new key alone");
    daemon.stop();
}

#[test]
#[ignore = "mounts as root"]
fn a_volume_whose_filesystem_is_full_is_left_behind_by_a_rekey_and_follows() {
    if !require(&[Need::Root, Need::Loop, Need::Tool("mkfs.ext4")]) {
        return;
    }
    let node = Node::new();
    let daemon = node.start();
    let file = file_of(&node, &set_up(&daemon.local));
    daemon.stop();
    // The volume moves to a small filesystem of its own, with a hole where no keyslot is yet.
    let folder = node.sear().path("small");
    let small = Mount::ext4(&node.sear().path("small.img"), &folder);
    let moved = folder.join("volume");
    Run::new("cp").words("--sparse=always").arg(&file).arg(&moved).ok();
    let mount = Mount::bind(&moved, &file);
    let filler = folder.join("filler");
    let mut filling = fs::File::create(&filler).expect("a file can be made");
    while filling.write_all(&[1; 4096]).is_ok() {}
    drop(filling);

    let daemon = node.start();
    let fault = rekey_without_the_first(&daemon);
    assert!(fault.contains("No space left on device"), "{fault}");
    fs::remove_file(&filler).expect("the file can be removed");
    follows(&daemon);
    daemon.stop();
    let daemon = node.start();
    assert!(Client::connect(&daemon.nbd(), "vol.1", false).is_ok(), "it opens with the new key alone");
    daemon.stop();
    drop(mount);
    drop(small);
}
