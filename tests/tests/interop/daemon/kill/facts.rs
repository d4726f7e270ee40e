//! What a daemon says of its state, without what changes by itself.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use sear_tests::rig::{Daemon, Local, Run};
use serde_json::{Value, json};

use super::life::Step;
use super::world::World;

/// One line for each thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts(BTreeSet<String>);

impl Facts {
    /// Asks for everything.
    pub(super) fn of(daemon: &Daemon) -> Self {
        let local = &daemon.local;
        let state = local.ok("GetClusterState", json!({"force": true}));
        let is_active = state.to_string().contains("Active");
        let mut facts = BTreeSet::from([format!("cluster {}", if is_active { "active" } else { "none" })]);
        if is_active {
            facts.insert(key(local));
            facts.insert(pair(local));
            facts.extend(servers(local));
            facts.extend(providers(local));
            facts.extend(drives(local));
            facts.extend(faults(local));
            facts.extend(volumes(daemon));
        }
        Self(facts)
    }

    /// Whether `after` is what these facts are once the step is done.
    pub(super) fn become_(&self, step: &Step, world: &World, after: &Self) -> bool {
        let mut expected = self.0.clone();
        expected.retain(|line| !step.without.iter().any(|prefix| line.starts_with(prefix)));
        let mut found = after.0.clone();
        for wanted in (step.with)(world) {
            // With a star at its end, a line of which only the beginning is known, and that was not there before.
            let line = found.iter().find(|line| match wanted.strip_suffix('*') {
                Some(start) => line.starts_with(start) && !self.0.contains(*line),
                None => **line == wanted,
            });
            let Some(line) = line.cloned() else { return false };
            found.remove(&line);
        }
        found == expected
    }
}

fn list(local: &Local, method: &str, member: &str) -> Vec<Value> {
    local.ok(method, json!({}))[member].as_array().cloned().unwrap_or_default()
}

fn key(local: &Local) -> String {
    let info = local.ok("GetSoftwareEncryptionAtRestInfo", json!({}));
    let key = &info["masterKeyInfo"];
    format!("key {} {} {}", key["keyManagementType"], key["keyProviderID"], key["keyID"])
}

fn pair(local: &Local) -> String {
    match local.call("GetClientCertificateSignRequest", &json!({})).expect("the daemon lives") {
        Err(refused) => format!("pair {}", refused.name),
        Ok(request) => {
            let mut hasher = DefaultHasher::new();
            request.to_string().hash(&mut hasher);
            format!("pair {:016x}", hasher.finish())
        }
    }
}

fn servers(local: &Local) -> Vec<String> {
    let servers = list(local, "ListKeyServersKmip", "kmipKeyServers");
    let line = |server: &Value| {
        format!("server {} {} {}", server["kmipKeyServerName"], server["kmipKeyServerPort"], server["keyProviderID"])
    };
    servers.iter().map(line).collect()
}

fn providers(local: &Local) -> Vec<String> {
    let providers = list(local, "ListKeyProvidersKmip", "kmipKeyProviders");
    let line = |provider: &Value| {
        format!("provider {} active {}", provider["keyProviderName"], provider["keyProviderIsActive"])
    };
    providers.iter().map(line).collect()
}

fn drives(local: &Local) -> Vec<String> {
    let line = |drive: &Value| format!("drive {} {}", drive["driveID"], drive["status"]);
    list(local, "ListDrives", "drives").iter().map(line).collect()
}

fn faults(local: &Local) -> Vec<String> {
    let faults = local.ok("ListClusterFaults", json!({"faultTypes": "current"}));
    let line = |fault: &Value| format!("fault {} {}", fault["code"], fault["details"]);
    faults["faults"].as_array().into_iter().flatten().map(line).collect()
}

/// Each volume, and what a client is told of its export.
fn volumes(daemon: &Daemon) -> Vec<String> {
    let line = |volume: &Value| {
        let export = format!("{}.{}", volume["name"].as_str().unwrap_or_default(), volume["volumeID"]);
        let served = Run::new("nbdinfo").arg("--size").arg(daemon.uri(&export));
        let size = if volume["status"] == "active" { served.ok() } else { "none".to_owned() };
        let (name, status, total, access) =
            (&volume["name"], &volume["status"], &volume["totalSize"], &volume["access"]);
        format!("volume {name} {status} {total} {access} served {}", size.trim())
    };
    list(&daemon.local, "ListVolumes", "volumes").iter().map(line).collect()
}
