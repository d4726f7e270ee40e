//! A node, its key managers, and what must hold whenever it serves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use sear_tests::rig::pypi::{Server, Start};
use sear_tests::rig::{Daemon, Local, Need, Node, pattern, require, wait_until};
use serde_json::{Value, json};

use crate::nbd_client::{Client, FLUSH, READ, WRITE};

/// Where each volume has bytes that are known, in its first gigabyte.
const PLACES: [u64; 3] = [0, 300 << 20, 900 << 20];
const LEN: usize = 64 << 10;
/// Where a volume may lie outside of the data directory.
pub(super) const PLACES_DIR: &str = "places";
/// The volume that does, and its file.
pub(super) const PLACED: &str = "placed";

pub(super) struct World {
    pub(super) node: Node,
    pub(super) servers: [Server; 2],
    /// The volumes that were written, and the seeds of their bytes.
    written: BTreeMap<String, u64>,
    /// The client's certificate of each key pair, by the request.
    certificates: std::cell::RefCell<BTreeMap<String, String>>,
}

impl World {
    pub(super) fn or_skip() -> Option<Self> {
        if !require(&[Need::Tool("openssl"), Need::Tool("nbdinfo")]) {
            return None;
        }
        let servers = [Start::extended().or_skip()?, Start::extended().or_skip()?];
        let node = Node::with_drives(2);
        let places = node.sear().path(PLACES_DIR);
        fs::create_dir(&places).expect("a directory can be made");
        let node = node.configured(&format!("places = {}", json!([places])));
        Some(Self { node, servers, written: BTreeMap::new(), certificates: Default::default() })
    }

    /// The parameters of `CreateCluster`.
    pub(super) fn cluster() -> Value {
        json!({"mvip": "192.0.2.1", "svip": "192.0.2.2", "username": "admin", "password": "correct horse",
               "nodes": ["127.0.0.1"], "enableSoftwareEncryptionAtRest": true})
    }

    /// The parameters of `CreateKeyServerKmip` for one of the key managers.
    pub(super) fn new_server(&self, local: &Local, name: &str, number: usize) -> Value {
        let request = local.ok("GetClientCertificateSignRequest", json!({}))["clientCertificateSignRequest"].clone();
        let request = request.as_str().expect("a request is PEM").to_owned();
        let prepared = self.servers[number].prepared();
        let mut certificates = self.certificates.borrow_mut();
        let client = certificates.entry(request.clone()).or_insert_with(|| prepared.sign(&request));
        json!({"kmipCaCertificate": prepared.authority(), "kmipClientCertificate": client,
               "kmipKeyServerHostnames": ["localhost"], "kmipKeyServerName": name,
               "kmipKeyServerPort": self.servers[number].port()})
    }

    /// Waits until no work goes on any more that the earlier process had begun.
    pub(super) fn settle(&self, daemon: &Daemon, what: &str) {
        let mut running = Value::Null;
        let is_done = || {
            let listed = match daemon.local.call("ListAsyncResults", &json!({})).expect("the daemon lives") {
                Ok(listed) => listed,
                Err(refused) => return refused.name == "xClusterDoesNotExist",
            };
            let entries = listed["asyncHandles"].as_array().cloned().unwrap_or_default();
            running = entries.into_iter().find(|entry| entry["completed"] == false).unwrap_or_default();
            running.is_null()
        };
        let name = format!("{what}; then everything that was begun to end");
        wait_until(&name, is_done);
    }

    /// What must hold at any time.
    pub(super) fn check(&mut self, daemon: &Daemon, what: &str) {
        let listed = daemon.local.ok("ListVolumes", json!({}));
        let volumes = listed["volumes"].as_array().cloned().unwrap_or_default();
        self.every_file_is_a_volume(&volumes, what);
        for volume in volumes.iter().filter(|volume| volume["status"] == "active") {
            self.bytes_are_there(daemon, volume, what);
        }
        self.every_key_is_known(daemon, what);
        let rekeys = daemon.local.ok("ListAsyncResults", json!({}));
        for entry in rekeys["asyncHandles"].as_array().into_iter().flatten() {
            let failed = entry["resultType"] == "RekeySoftwareEncryptionAtRestMasterKey" && entry["success"] != true;
            assert!(!failed, "{what}: {entry}");
        }
    }

    fn every_file_is_a_volume(&self, volumes: &[Value], what: &str) {
        let folder = self.node.sear().state_dir().join("volumes");
        let files = fs::read_dir(folder).expect("the folder of the volumes can be read");
        let files: BTreeSet<String> =
            files.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        let uuid = |volume: &Value| volume["volumeUUID"].as_str().unwrap_or_default().to_owned();
        let (placed, others): (Vec<&Value>, Vec<&Value>) = volumes.iter().partition(|volume| volume["name"] == PLACED);
        let wanted: BTreeSet<String> = others.into_iter().map(|volume| uuid(volume) + ".sear").collect();
        assert_eq!(files, wanted, "{what}");
        let beside = fs::read_dir(self.node.sear().path(PLACES_DIR)).expect("the places can be read").flatten();
        let left: Vec<String> = beside.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(left, vec![PLACED.to_owned(); placed.len()], "{what}");
    }

    /// Bytes are written when a volume is seen for the first time, and looked for from then on.
    fn bytes_are_there(&mut self, daemon: &Daemon, volume: &Value, what: &str) {
        let export = format!("{}.{}", volume["name"].as_str().unwrap_or_default(), volume["volumeID"]);
        let mut client =
            Client::connect(&daemon.nbd(), &export, false).unwrap_or_else(|error| panic!("{what}: {error}"));
        let seed = volume["volumeID"].as_u64().expect("an id is a number");
        let is_new = self.written.insert(export.clone(), seed).is_none();
        for (place, number) in PLACES.into_iter().zip(seed * 100..) {
            let data = pattern(number, LEN);
            if is_new {
                exchange(&mut client, WRITE, place, LEN, &data);
                exchange(&mut client, FLUSH, 0, 0, &[]);
            }
            assert!(exchange(&mut client, READ, place, LEN, &[]) == data, "{what}: {export} at {place}");
        }
    }

    /// A key at a key manager is named by the API, or is recorded as one that was about to be made and will be cleared.
    fn every_key_is_known(&self, daemon: &Daemon, what: &str) {
        let mut told = String::new();
        for method in ["GetSoftwareEncryptionAtRestInfo", "ListAsyncResults", "ListEvents"] {
            told += &daemon.local.ok(method, json!({})).to_string();
        }
        let names: BTreeSet<String> = self.servers.iter().flat_map(Server::names).collect();
        for name in names {
            let key = name.rsplit('/').next().unwrap_or_default();
            assert!(told.contains(key) || self.is_recorded(&format!("intent/{key}")), "{what}: {name} is an orphan");
        }
    }

    /// Whether the first drive's copy of the state has this text.
    fn is_recorded(&self, text: &str) -> bool {
        let state = fs::read(self.node.drives()[0].join("state.redb")).expect("the state can be read");
        state.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// One request that must succeed; what it read.
fn exchange(client: &mut Client, command: u16, place: u64, len: usize, data: &[u8]) -> Vec<u8> {
    client.send((command, 0), 1, place, len, data).expect("the daemon listens");
    client.reply().expect("an answer").1.expect("no error")
}
