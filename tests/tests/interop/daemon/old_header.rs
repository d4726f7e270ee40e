//! An old copy of a volume's header, after the key that it was wrapped by has gone: with everything that the key manager
//! still has, nobody opens the volume by it.

use std::fs;
use std::os::unix::fs::FileExt;

use sear_tests::rig::pypi::Start;
use sear_tests::rig::{Need, Node, Run, require, wait_until};
use serde_json::{Value, json};

/// More than a header takes, and less than where the data begin.
const HEADER: usize = 16 << 20;

#[test]
fn an_old_header_does_not_open_once_its_key_is_decommissioned_and_the_error_says_why() {
    if !require(&[Need::Tool("openssl"), Need::Tool("qemu-io"), Need::Tool("cryptsetup")]) {
        return;
    }
    let Some(server) = Start::extended().or_skip() else { return };
    let node = Node::new();
    let daemon = node.start();
    let local = &daemon.local;
    local.create_cluster("correct horse");
    local.ok("CreatePublicPrivateKeyPair", json!({}));
    let request = local.ok("GetClientCertificateSignRequest", json!({}))["clientCertificateSignRequest"].clone();
    let prepared = server.prepared();
    let client = prepared.sign(request.as_str().expect("a request is PEM"));
    local.ok(
        "CreateKeyServerKmip",
        json!({"kmipCaCertificate": prepared.authority(), "kmipClientCertificate": client, "kmipKeyServerName": "kms",
               "kmipKeyServerHostnames": ["localhost"], "kmipKeyServerPort": server.port()}),
    );
    local.ok("CreateKeyProviderKmip", json!({"keyProviderName": "keys"}));
    local.ok("AddKeyServerToProviderKmip", json!({"keyProviderID": 1, "keyServerID": 1}));
    local.ok("CreateVolume", json!({"name": "vol", "accountID": 1, "totalSize": 1_024_000_000_u64}));
    let rekey = |order: Value| {
        let result = local.wait_for(&local.ok("RekeySoftwareEncryptionAtRestMasterKey", order)["asyncHandle"]);
        result["result"]["newKey"]["keyID"].as_str().expect("there is a new key").to_owned()
    };
    let old = rekey(json!({"keyManagementType": "External", "keyProviderID": 1}));
    io(&daemon.uri("vol.1"), "write -P 0xa5 1M 64k");

    let folder = node.sear().state_dir().join("volumes");
    let volume = fs::read_dir(&folder).expect("the folder is there").next().expect("one volume").expect("an entry");
    let mut header = vec![0; HEADER];
    fs::File::open(volume.path()).expect("it is a file").read_exact_at(&mut header, 0).expect("it is long enough");

    let new = rekey(json!({}));
    let mut report = Value::Null;
    wait_until("the old key to be destroyed", || {
        report = local.ok("GetMasterKeyReport", json!({"keyID": old}));
        report["state"] == "destroyed"
    });
    assert_eq!(report["dependantsNow"], json!([]), "{report}");
    let is_done = |request: &str| {
        let mut answers = report["answers"].as_array().into_iter().flatten();
        answers
            .any(|answer| answer["request"] == request && answer["isDone"] == true && answer["place"] == "kms (ID 1)")
    };
    assert!(is_done("revoke") && is_done("destroy"), "{report}");
    daemon.stop();

    let file = fs::OpenOptions::new().write(true).open(volume.path()).expect("it can be written");
    file.write_all_at(&header, 0).expect("the old header is put back");
    file.sync_all().expect("and synced");
    let daemon = node.start();
    assert!(!Run::new("qemu-io").words("-f raw -c").arg("read 1M 64k").arg(daemon.uri("vol.1")).succeeds());
    let faults = daemon.local.ok("ListClusterFaults", json!({"faultTypes": "current"})).to_string();
    let words = [format!("master key {old} was destroyed at"), "volumesOffline".into()];
    assert!(words.iter().all(|words| faults.contains(words)), "{faults}");
    // The keys that there still are, the node's own as well, do not open it either.
    assert!(!faults.contains(&format!("master key {new}")), "{faults}");
    daemon.stop();
}

fn io(uri: &str, command: &str) {
    Run::new("qemu-io").words("-f raw -c").arg(command).arg("-c").arg("flush").arg(uri).ok();
}
