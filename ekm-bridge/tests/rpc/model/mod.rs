//! A cluster in memory that follows the rules of the Element API, for tests of what is in front of it.
//!
//! There is no key server behind it. What a contact with one would bring is in its host name: `down...` cannot be
//! reached, `stranger...` does not accept our certificate, `broken...` answers with an error; every other host works.
//! `twin...` holds different keys under the same ids as every other server. A provider named `defect` is a defect of the
//! program, one named `slow` takes [`SLOW`].

mod cluster;
mod drives;
mod keys;
mod places;
mod reports;
mod sear;
mod volumes;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use ekm_bridge::rpc::auth::{PasswordHash, Role};
use ekm_bridge::rpc::control::{Account, NewCluster, Outcome};
use ekm_bridge::rpc::types::async_results::{AsyncOutcome, AsyncResultType};
use ekm_bridge::rpc::types::cluster::Password;
use ekm_bridge::rpc::types::drives::DriveInfo;
use ekm_bridge::rpc::types::events::EventInfo;
use ekm_bridge::rpc::types::faults::ClusterFaultInfo;
use ekm_bridge::rpc::types::key_servers::KeyServerKmip;
use ekm_bridge::rpc::types::sear::EncryptionKeyInfo;
use ekm_bridge::rpc::types::trust::CreateKeyPair;
use ekm_bridge::rpc::types::volumes::Volume;
use ekm_bridge::rpc::types::{
    AsyncHandleId, DriveId, EventId, KeyProviderId, KeyServerId, NodeId, Timestamp, VolumeId,
};
use ekm_bridge::rpc::{ApiError, ErrorName};

/// The administrator that [`Model::with_cluster`] makes.
pub(crate) const ADMIN: (&str, &str) = ("admin", "correct horse");
/// A user who may only read, made with the cluster.
pub(crate) const READER: (&str, &str) = ("reader", "battery staple");
/// How long a slow call takes.
pub(crate) const SLOW: Duration = Duration::from_millis(400);
/// The one node there is.
pub(crate) const NODE: NodeId = NodeId(1);
/// Its address.
pub(crate) const NODE_ADDRESS: &str = "127.0.0.1";

/// The cluster.
#[derive(Default)]
pub(crate) struct Model {
    state: Mutex<State>,
    slow_calls: AtomicUsize,
}

#[derive(Default)]
struct State {
    cluster: Option<NewCluster>,
    accounts: Vec<Account>,
    pair: Option<CreateKeyPair>,
    servers: BTreeMap<KeyServerId, KeyServerKmip>,
    providers: BTreeMap<KeyProviderId, String>,
    master_key: Option<EncryptionKeyInfo>,
    drive_key: Option<EncryptionKeyInfo>,
    rekey: Option<AsyncHandleId>,
    work: BTreeMap<AsyncHandleId, Work>,
    drives: BTreeMap<DriveId, DriveInfo>,
    volumes: BTreeMap<VolumeId, Volume>,
    faults: Vec<ClusterFaultInfo>,
    events: Vec<EventInfo>,
    ids: u64,
}

/// Work that goes on: each question brings it one step further.
struct Work {
    kind: AsyncResultType,
    created: Timestamp,
    steps: Vec<AsyncOutcome>,
}

impl Model {
    /// A cluster with [`ADMIN`], [`READER`], software encryption and four drives.
    pub(crate) fn with_cluster() -> Self {
        let model = Self::default();
        let (name, password) = ADMIN;
        let new = NewCluster {
            mvip: NODE_ADDRESS.into(),
            svip: NODE_ADDRESS.into(),
            nodes: vec![NODE_ADDRESS.into()],
            attributes: serde_json::Map::new(),
            software_encryption: true,
            administrator: account(name, password, Role::Administrator),
        };
        ekm_bridge::rpc::control::Cluster::create_cluster(&model, new).unwrap();
        model.state().accounts.push(account(READER.0, READER.1, Role::ReadOnly));
        model
    }

    /// Returns once a slow call has begun.
    pub(crate) fn wait_for_slow_call(&self) {
        while self.slow_calls.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
    }

    fn be_slow(&self) {
        self.slow_calls.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(SLOW);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    fn begin(&mut self, kind: AsyncResultType, steps: Vec<AsyncOutcome>) -> AsyncHandleId {
        let id = AsyncHandleId(self.next_id());
        self.work.insert(id, Work { kind, created: Timestamp::now(), steps });
        id
    }

    fn report(&mut self, kind: &str, message: String) {
        let id = EventId(self.next_id());
        self.events.push(EventInfo {
            id,
            severity: 0,
            event_info_type: kind.into(),
            message,
            service: Default::default(),
            node: NODE,
            drive: Default::default(),
            drives: Vec::new(),
            time_of_report: Timestamp::now(),
            time_of_publish: Timestamp::now(),
            details: None,
        });
    }

    fn is_active(&self, provider: KeyProviderId) -> bool {
        let keys = [&self.master_key, &self.drive_key];
        keys.into_iter().flatten().any(|key| key.provider == Some(provider))
    }

    fn servers_of(&self, provider: KeyProviderId) -> Vec<KeyServerId> {
        let servers = self.servers.values().filter(|server| server.provider == Some(provider));
        servers.map(|server| server.id).collect()
    }
}

/// An account with a fresh hash.
pub(crate) fn account(name: &str, password: &str, role: Role) -> Account {
    Account { name: name.into(), role, password: PasswordHash::of(&Password::new(password.into())).unwrap() }
}

fn fail<T>(name: ErrorName, message: impl Into<String>) -> Outcome<T> {
    Err(ApiError::new(name, message))
}
