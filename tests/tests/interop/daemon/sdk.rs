//! The unmodified public SDK does the administrator's whole procedure against a fresh daemon and real key managers, then
//! everything else. The scripts are `ekm-bridge/tests/element_sdk/daemon`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sear_tests::rig::pypi::{self, Server, Start};
use sear_tests::rig::{Daemon, Need, Node, Run, require};
use serde_json::{Value, json};

/// What needs drives that encrypt by themselves, or slots.
const NEVER_SUCCEEDS: [&str; 3] = ["DisableEncryptionAtRest", "EnableEncryptionAtRest", "ResetDrives"];
/// What answers whoever asks, and takes no parameters that could be wrong.
const NEVER_FAILS: [&str; 3] = ["GetAPI", "GetClusterState", "GetLimits"];
const PASSWORD: &str = "correct horse";

struct World {
    python: PathBuf,
    node: Node,
    servers: [Server; 3],
}

impl World {
    fn or_skip() -> Option<Self> {
        if !require(&[Need::Tool("openssl"), Need::Tool("qemu-io"), Need::Tool("nbdinfo")]) {
            return None;
        }
        let python = pypi::or_skip(pypi::sdk())?;
        let servers = [Start::extended().or_skip()?, Start::extended().or_skip()?, Start::stock().or_skip()?];
        Some(Self { python, node: Node::with_drives(2), servers })
    }

    /// Runs a part of the scripts.
    fn run(&self, part: &str, daemon: &Daemon) {
        let state = self.node.sear().state_dir();
        let settings = json!({
            "port": daemon.api().port(),
            "certificate": state.join("api.pem"),
            "pki": self.servers[0].prepared().pki(),
            "servers": self.servers.each_ref().map(Server::port),
            "faults": self.servers[0].faults(),
            "nbd": daemon.nbd(),
            "volumes": state.join("volumes"),
        });
        let file = self.node.sear().path("settings.json");
        fs::write(&file, settings.to_string()).expect("the settings can be written");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ekm-bridge/tests/element_sdk/daemon/run.py");
        let python = self.python.to_str().expect("the target folder has a UTF-8 name");
        print!("{}", Run::new(python).args(["-B", "-W", "ignore"]).arg(script).arg(part).arg(file).ok());
    }
}

#[test]
fn the_public_sdk_drives_a_daemon_from_its_first_call_to_a_lost_metadata_drive() {
    let Some(world) = World::or_skip() else { return };
    let daemon = world.node.start();
    world.run("procedure", &daemon);
    let methods = methods(&daemon);
    world.run("methods", &daemon);
    // What the daemon remembers is on both drives; one is gone when it starts again.
    daemon.stop();
    let drive = &world.node.drives()[1];
    let away = drive.with_extension("away");
    fs::rename(drive, &away).expect("the drive can be taken away");
    let daemon = world.node.start();
    world.run("lost", &daemon);
    fs::rename(&away, drive).expect("the drive can be brought back");
    world.run("back", &daemon);
    daemon.stop();
    every_method_was_called_in_every_way(&audited(&world.node), &methods);
}

/// Methods that Element and its SDK do not have.
const OURS: [&str; 14] = [
    "AddVolumePassphrase",
    "AdoptVolume",
    "CreateVolumeAt",
    "ExportVolumeKey",
    "ListVolumePlaces",
    "RestoreVolumeHeader",
    "CancelRekeySoftwareEncryptionAtRestMasterKey",
    "CreateVolumeHeaderBackup",
    "DecommissionMasterKey",
    "DeleteVolumeHeaderBackup",
    "GetMasterKeyReport",
    "ListMasterKeys",
    "ListVolumeHeaderBackups",
    "SetMasterKeyRotation",
];

/// The methods that the daemon says it has.
fn methods(daemon: &Daemon) -> BTreeSet<String> {
    let api = daemon.local.ok("GetAPI", json!({}));
    let names = api["12.3"].as_array().expect("the methods are listed");
    names.iter().map(|name| name.as_str().expect("a name is a text").to_owned()).collect()
}

/// What each method came to, of the calls of the SDK; the log is looked at for secrets as well.
fn audited(node: &Node) -> BTreeMap<String, BTreeSet<String>> {
    let log = fs::read_to_string(node.sear().state_dir().join("audit.log")).expect("there is an audit log");
    assert!(!log.contains(PASSWORD), "a password is in the audit log");
    node.sear().run().words("audit verify").ok();
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).expect("an entry is JSON");
        let entry = &line["entry"];
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        if !text(&entry["user"]).starts_with("local") {
            seen.entry(text(&entry["method"])).or_default().insert(text(&entry["outcome"]["result"]));
        }
    }
    seen
}

/// A method that the scripts forgot would otherwise go unnoticed.
fn every_method_was_called_in_every_way(seen: &BTreeMap<String, BTreeSet<String>>, methods: &BTreeSet<String>) {
    for method in methods.iter().filter(|method| !OURS.contains(&method.as_str())) {
        let outcomes = seen.get(method).cloned().unwrap_or_default();
        let (never_succeeds, never_fails) =
            (NEVER_SUCCEEDS.contains(&method.as_str()), NEVER_FAILS.contains(&method.as_str()));
        assert!(outcomes.contains("success") || never_succeeds, "{method} never succeeded: {outcomes:?}");
        assert!(outcomes.contains("failed") || never_fails, "{method} never failed: {outcomes:?}");
    }
    assert!(methods.len() > 40, "{methods:?}");
}
