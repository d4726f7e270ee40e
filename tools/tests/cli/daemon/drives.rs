//! The state on two metadata drives, one of which is lost and brought back.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde_json::Value;

use super::{api, configure, create_volume, rig};
use crate::rig::{Rig, wait_until};

fn make(drive: &Path) {
    DirBuilder::new().recursive(true).mode(0o700).create(drive).unwrap();
}

fn drives(rig: &Rig) -> Vec<Value> {
    api(rig, "ListDrives", "{}")["drives"].as_array().unwrap().clone()
}

fn has_fault(rig: &Rig) -> bool {
    let faults = api(rig, "ListClusterFaults", r#"{"faultTypes":"current"}"#)["faults"].clone();
    faults.as_array().unwrap().iter().any(|fault| fault["code"] == "sliceServiceUnhealthy")
}

#[test]
fn a_lost_drive_is_told_and_brought_back_and_then_holds_everything() {
    let rig = rig();
    let (kept, lost) = (rig.path("drives/kept"), rig.path("drives/lost"));
    make(&kept);
    make(&lost);
    configure(&rig, &format!("metadata = [{kept:?}, {lost:?}]\n"));
    let daemon = rig.daemon();
    create_volume(&rig);
    assert!(drives(&rig).iter().all(|drive| drive["status"] == "active") && drives(&rig).len() == 2);
    fs::remove_dir_all(&lost).unwrap();
    // The next change finds out.
    api(&rig, "ModifyVolume", r#"{"volumeID":1,"attributes":{"a":1}}"#);
    wait_until("the fault", || has_fault(&rig));
    let number = drives(&rig).iter().find(|drive| drive["status"] != "active").unwrap()["driveID"].clone();
    api(&rig, "ModifyVolume", r#"{"volumeID":1,"attributes":{"a":2}}"#);
    make(&lost);
    api(&rig, "AddDrives", &format!(r#"{{"drives":[{{"driveID":{number},"type":"volume"}}]}}"#));
    wait_until("the end of the fault", || !has_fault(&rig));
    assert!(drives(&rig).iter().all(|drive| drive["status"] == "active"), "{:?}", drives(&rig));
    daemon.stop();
    // Alone, it holds all of it: the volumes too, which are opened with a key that is on it.
    fs::remove_dir_all(&kept).unwrap();
    let daemon = rig.daemon();
    let volume = api(&rig, "ListVolumes", "{}")["volumes"][0].clone();
    assert_eq!(volume["attributes"]["a"], 2);
    assert!(api(&rig, "ListClusterFaults", "{}")["faults"].to_string().contains("sliceServiceUnhealthy"));
    daemon.stop();
}
