//! What has to hold after every event of a cluster, whatever failed in it:
//!
//! 1. every volume opens with a master key that is still to be had somewhere;
//! 2. no key was revoked or destroyed that a header still names;
//! 3. generations never go back: neither the key in force nor the state of any key;
//! 4. a request that is repeated changes nothing;
//! 5. no secret in the store, the audit log, the log of the process or a reply.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64ct::{Base64, Encoding};
use ekm_bridge::cluster::ClusterControl;
use ekm_bridge::provider::KeyProvider;
use ekm_bridge::records::{Cluster, MasterKeyRecord, MasterKeyState, Only, Rekey};
use ekm_bridge::rpc::Service;
use ekm_bridge::rpc::auth::Role;
use ekm_bridge::rpc::control::Ledger;
use ekm_bridge::rpc::methods::{Caller, Port};
use ekm_bridge::rpc::observer::Unobserved;
use ekm_bridge::rpc::types::ledger::DecommissionKey;
use ekm_bridge::store::Store;
use keywrap::keys::KeyId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{World, begin_rekey, log};

/// Methods that tell something.
const TELLING: [&str; 8] = [
    "ListMasterKeys",
    "GetSoftwareEncryptionAtRestInfo",
    "ListClusterFaults",
    "ListEvents",
    "ListAsyncResults",
    "ListVolumes",
    "ListKeyServersKmip",
    "ListKeyProvidersKmip",
];

/// What was seen of a cluster so far.
#[derive(Default)]
pub(crate) struct Invariants {
    /// The bytes of every key there ever was.
    keys: BTreeSet<(KeyId, [u8; 32])>,
    states: BTreeMap<KeyId, MasterKeyState>,
    in_force: Vec<KeyId>,
    logged: usize,
}

impl Invariants {
    /// Nothing seen yet. The log of the process is kept from now on.
    pub(crate) fn new() -> Self {
        log::keep();
        Self::default()
    }

    /// Panics when one of the five does not hold after `event`.
    pub(crate) fn check(&mut self, world: &World, control: &Arc<ClusterControl>, event: &str) {
        let live = self.learn(world);
        opens(world, &live, event);
        drained(world, control, event);
        self.goes_on(world, control, event);
        repeats(world, control, event);
        self.keeps_secrets(world, control, event);
    }

    /// The keys that can be had somewhere.
    fn learn(&mut self, world: &World) -> BTreeSet<(KeyId, [u8; 32])> {
        let mut live = world.contact.live();
        let internal = world.internal();
        for info in internal.list().unwrap() {
            live.insert((info.id, *internal.key(info.id).unwrap().0.expose_secret()));
        }
        self.keys.extend(live.iter().copied());
        live
    }

    fn goes_on(&mut self, world: &World, control: &ClusterControl, event: &str) {
        let ledger: Vec<MasterKeyRecord> = world.records().table().list().unwrap();
        for key in &ledger {
            let before = self.states.insert(key.id, key.state).unwrap_or(MasterKeyState::Created);
            let is_back = key.state == MasterKeyState::Active && before == MasterKeyState::ToDecommission;
            assert!(key.state >= before || (is_back && was_called_off(control, key.id)), "{event}: {before:?} {key:?}");
        }
        let cluster: Option<Cluster> = world.records().table().get(Only).unwrap();
        let Some(now) = cluster.and_then(|cluster| cluster.encryption.master_key) else { return };
        let is_new = !self.in_force.contains(&now);
        if is_new {
            self.in_force.push(now);
        } else if self.in_force.last() != Some(&now) {
            assert!(was_called_off(control, now), "{event}: {now} is in force again");
            self.in_force.retain(|key| *key != now);
            self.in_force.push(now);
        }
        let record = ledger.iter().find(|key| key.id == now);
        assert_eq!(record.map(|key| key.state), Some(MasterKeyState::Active), "{event}");
    }

    fn keeps_secrets(&mut self, world: &World, control: &Arc<ClusterControl>, event: &str) {
        let mut places: Vec<(String, Vec<u8>)> =
            world.store.list("").unwrap().into_iter().map(|(key, entry)| (key, entry.value)).collect();
        let logged = log::since(self.logged);
        self.logged += logged.len();
        places.push(("the log".into(), logged.into_bytes()));
        places.extend(world.journal.iter().flat_map(|notes| notes.entries()).map(|(_, text)| (text, Vec::new())));
        places.extend(replies(control, self.states.keys().copied()));
        for (id, bytes) in &self.keys {
            let forms = forms(bytes);
            for (place, text) in &places {
                let is_in = |form: &Vec<u8>| contains(place.as_bytes(), form) || contains(text, form);
                assert!(!forms.iter().any(is_in), "{event}: the bytes of {id} are in {place}");
            }
        }
    }
}

fn opens(world: &World, live: &BTreeSet<(KeyId, [u8; 32])>, event: &str) {
    match &world.real {
        Some(real) => {
            for uuid in real.volumes() {
                assert!(!real.opening(uuid, live).is_empty(), "{event}: volume {uuid} is lost");
            }
        }
        None => {
            for (uuid, keys) in world.host.keyslots() {
                let opens = keys.into_iter().any(|slot| live.contains(&slot));
                assert!(opens || world.is_forced, "{event}: volume {uuid} is lost");
            }
        }
    }
}

fn drained(world: &World, control: &ClusterControl, event: &str) {
    let named: Vec<KeyId> = match &world.real {
        Some(real) => real.keys().concat(),
        None => world.host.disks().into_values().flat_map(|(_, keys)| keys).collect(),
    };
    for (what, id) in world.contact.ended() {
        let report = control.master_key_report(id.0);
        // What was made in vain is in no ledger.
        let Ok(report) = report else { continue };
        let is_forced = report.word.is_some_and(|word| word.is_forced);
        assert!(report.proof.is_some() || is_forced, "{event}: {id} was {what} without a proof");
        assert!(!named.contains(&id) || is_forced, "{event}: {id} was {what} and a header names it");
    }
}

fn was_called_off(control: &ClusterControl, key: KeyId) -> bool {
    let report = control.master_key_report(key.0).unwrap();
    report.states.iter().any(|step| step.why.contains("called off"))
}

fn repeats(world: &World, control: &ClusterControl, event: &str) {
    let before = world.store.list("").unwrap();
    if let Some(running) = world.records().table::<Rekey>().get(Only).unwrap().filter(|rekey| !rekey.is_cancelled) {
        let provider = match running.to {
            ekm_bridge::records::Management::Internal => None,
            ekm_bridge::records::Management::External(id) => Some(ekm_bridge::rpc::types::KeyProviderId(id.0)),
        };
        assert_eq!(begin_rekey(control, provider).unwrap().0, running.handle.0, "{event}");
    }
    let ledger: Vec<MasterKeyRecord> = world.records().table().list().unwrap();
    for key in ledger.iter().filter(|key| key.state == MasterKeyState::Destroyed) {
        let again = DecommissionKey { key: key.id.0, force: None, dependants: None };
        control.decommission_key(&again, "eva").unwrap();
    }
    assert!(world.store.list("").unwrap() == before, "{event}: a repeated request changed something");
}

/// What the API tells.
fn replies(control: &Arc<ClusterControl>, keys: impl Iterator<Item = KeyId>) -> Vec<(String, Vec<u8>)> {
    let control = Arc::clone(control);
    let service = Service::new(control, Arc::new(Unobserved), Port::Any);
    let caller = Caller::User { name: "admin".into(), role: Role::Administrator };
    let ask = |method: &str, params: Value| {
        let body = json!({ "method": method, "id": 1, "params": params }).to_string();
        let answer = service.answer("12.3", &caller, "127.0.0.1:1".parse().unwrap(), body.as_bytes()).body;
        (method.to_owned(), answer.to_vec())
    };
    let reports = keys.map(|key| ask("GetMasterKeyReport", json!({ "keyID": key.0 })));
    reports.chain(TELLING.iter().map(|method| ask(method, json!({})))).collect()
}

/// The ways in which bytes may be written.
fn forms(bytes: &[u8; 32]) -> Vec<Vec<u8>> {
    let hex = |upper: bool| -> String {
        bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
    };
    let list = |comma: &str| bytes.map(|byte| byte.to_string()).join(comma);
    let base64 = Base64::encode_string(bytes).trim_end_matches('=').to_owned();
    let words = [hex(false), hex(true), list(","), list(", "), base64];
    words.into_iter().map(String::into_bytes).chain([bytes.to_vec()]).collect()
}

fn contains(text: &[u8], form: &[u8]) -> bool {
    text.windows(form.len()).any(|window| window == form)
}

#[test]
fn a_secret_is_found_in_every_form_that_it_may_have() {
    let key = Uuid::from_u128(7).into_bytes();
    let bytes = <[u8; 32]>::try_from([key, key].concat()).unwrap();
    for form in forms(&bytes) {
        assert!(contains(&[&b"before "[..], &form, b" after"].concat(), &form));
    }
    assert!(!contains(b"nothing", &forms(&bytes)[0]));
}
