//! `sear daemon`: a cluster over HTTPS, a volume over NBD, and what is left of both after each kind of end.

mod audit;
mod confined;
mod drives;
mod metrics;
mod reload;
mod tls;
mod unit;

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::rig::{Ran, Rig, Up, tool};

const CREATE_CLUSTER: &str = r#"{"id":1,"method":"CreateCluster","params":{"mvip":"10.0.0.1","svip":"10.0.0.2",
    "username":"admin","password":"long enough for this","nodes":["127.0.0.1"]}}"#;
const CLUSTER: &str = r#"{"mvip":"10.0.0.1","svip":"10.0.0.2","username":"admin",
    "password":"long enough for this","nodes":["127.0.0.1"]}"#;
const CREATE_VOLUME: &str = r#"{"name":"vol","accountID":1,"totalSize":1000000000}"#;

fn rig() -> Rig {
    let rig = Rig::new();
    configure(&rig, "");
    let config = rig.path("sear.toml");
    rig.with("SEAR_CONFIG", Some(config))
}

/// Writes the configuration with more keys of `[daemon]`.
fn configure(rig: &Rig, more: &str) {
    rig.file("sear.toml", format!("[daemon]\napi = [\"127.0.0.1:0\"]\n{more}").as_bytes());
}

/// A cluster with one volume, `vol.1`.
fn create_volume(rig: &Rig) {
    api(rig, "CreateCluster", &CLUSTER.replace('\n', ""));
    api(rig, "CreateVolume", CREATE_VOLUME);
}

/// Calls a method over HTTPS, or says that curl is missing.
fn https(daemon: &Up, body: &str) -> Option<Value> {
    let url = format!("https://{}/json-rpc/12.3", daemon.ready["api"][0].as_str().unwrap());
    let user = ["-u", "admin:long enough for this"];
    tool("curl", ["-sk", &url, "-d", body].into_iter().chain(user)).map(Ran::json)
}

fn api(rig: &Rig, method: &str, params: &str) -> Value {
    rig.run(["--json", "api", method, params]).json()
}

fn uri(rig: &Rig, name: &str) -> String {
    format!("nbd+unix:///{name}?socket={}", rig.state_dir().join("run/nbd.sock").display())
}

/// Runs qemu-io, which must be there once a test has begun, and looks at every pattern.
#[track_caller]
fn io<const N: usize>(uri: &str, commands: [&str; N]) {
    let commands = commands.iter().flat_map(|command| ["-c", command]);
    let said = tool("qemu-io", ["-f", "raw"].into_iter().chain(commands).chain([uri])).unwrap().ok();
    assert!(!said.contains("verification failed"), "{said}");
}

fn can_run() -> bool {
    ["curl", "qemu-io"].iter().all(|program| tool(program, ["--version"]).is_some())
}

#[test]
fn what_was_written_is_there_after_a_restart_a_kill_and_a_rekey() {
    if !can_run() {
        return;
    }
    let rig = rig();
    let daemon = rig.daemon();
    assert_eq!(https(&daemon, CREATE_CLUSTER).unwrap(), json!({"id": 1, "result": {}}));
    let volume = api(&rig, "CreateVolume", CREATE_VOLUME);
    assert_eq!(volume["volumeID"], 1, "{volume}");
    let uri = uri(&rig, "vol.1");
    io(&uri, ["write -P 0xa5 1M 64k", "flush"]);
    daemon.stop();
    let mut daemon = rig.daemon();
    io(&uri, ["read -P 0xa5 1M 64k", "write -f -P 0x5a 2M 64k"]);
    daemon.signal(Signal::KILL);
    daemon.wait();
    let daemon = rig.daemon();
    let in_force = || {
        let keys = rig.run(["--json", "keys"]).json();
        keys.as_array().unwrap().iter().find(|key| key["isInForce"] == true).unwrap()["keyID"].clone()
    };
    let before = in_force();
    rig.run(["rekey", "--now"]).ok();
    assert_ne!(in_force(), before);
    let report = rig.run(["--json", "keys", "report", before.as_str().unwrap()]).json();
    assert_eq!((&report["state"], &report["dependantsNow"]), (&json!("destroyed"), &json!([])), "{report}");
    let page = rig.run(["keys", "report", before.as_str().unwrap()]).ok();
    assert!(page.contains("## Proof") && page.contains("| destroyed |"), "{page}");
    io(&uri, ["read -P 0xa5 1M 64k", "read -P 0x5a 2M 64k"]);
    daemon.stop();
    rig.daemon().stop();
    let audited = rig.run(["--json", "audit", "verify"]).json();
    assert!(audited["entries"].as_u64().unwrap() >= 3, "{audited}");
    assert!(!log(&rig).contains("long enough"), "no password in the audit log");
}

fn log(rig: &Rig) -> String {
    fs::read_to_string(rig.state_dir().join("audit.log")).unwrap()
}

#[test]
fn there_is_one_daemon_for_a_state_directory_and_it_cleans_up() {
    let rig = rig();
    let daemon = rig.daemon();
    rig.run(["daemon"]).fails(6, &["another daemon"]);
    rig.run(["volume", "list"]).fails(1, &["there is no cluster yet", "CreateCluster"]);
    let socket = daemon.ready["socket"].as_str().unwrap().to_owned();
    assert!(Path::new(&socket).exists());
    let store = fs::File::open(rig.state_dir().join("lock")).unwrap();
    assert!(store.try_lock().is_err(), "the store stays open, under its lock");
    daemon.stop();
    store.try_lock().unwrap();
    drop(store);
    rig.run(["volume", "list"]).ok();
    assert!(!Path::new(&socket).exists());
    rig.run(["keys"]).fails(1, &["no daemon runs"]);
}

#[test]
fn a_changed_log_is_found_out() {
    let rig = rig();
    let daemon = rig.daemon();
    rig.run(["server", "list"]).ok();
    rig.run(["provider", "list"]).ok();
    daemon.stop();
    let path = rig.state_dir().join("audit.log");
    fs::write(&path, log(&rig).replacen("ListKeyServersKmip", "ListKeyServersKmiq", 1)).unwrap();
    assert_eq!(rig.run(["audit", "verify"]).code, 4);
}
