//! A world around one control plane: what survives a power cut, and what does not.

mod authority;
mod host;
mod invariants;
mod journal;
mod log;
pub(crate) mod places;
mod plug;
mod servers;
mod sim_host;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use ekm_bridge::cluster::{ClusterControl, Config, Contact, Decommission, Journal, Parts};
use ekm_bridge::provider::external::{Clock, Settings};
use ekm_bridge::provider::{InternalProvider, RootKeyFile};
use ekm_bridge::records::Records;
use ekm_bridge::rpc::auth::{PasswordHash, Role};
use ekm_bridge::rpc::control::{
    Account, Cluster, Events, Faults, KeyPair, KeyProviders, KeyServers, Ledger, NewCluster, SoftwareEncryption,
    Volumes,
};
use ekm_bridge::rpc::types::async_results::{AsyncOutcome, AsyncResult};
use ekm_bridge::rpc::types::cluster::Password;
use ekm_bridge::rpc::types::events::ListEvents;
use ekm_bridge::rpc::types::faults::{ClusterFaultInfo, FaultFilter, ListFaults};
use ekm_bridge::rpc::types::key_providers::AddKeyServer;
use ekm_bridge::rpc::types::key_servers::CreateKeyServer;
use ekm_bridge::rpc::types::ledger::MasterKey;
use ekm_bridge::rpc::types::sear::{KeyManagement, RekeyMasterKey};
use ekm_bridge::rpc::types::trust::CreateKeyPair;
use ekm_bridge::rpc::types::volumes::{CreateVolume, Volume};
use ekm_bridge::rpc::types::{AccountId, AsyncHandleId, KeyProviderId, KeyServerId};
use ekm_bridge::rpc::{ApiError, ErrorName};
use ekm_bridge::store::{MemoryStore, Store};
use ekm_bridge::time::UnixSeconds;
use ekm_bridge::trust::KeyPairStore;
use keywrap::keys::KeyId;
use tempfile::TempDir;

pub(crate) use authority::{Authority, DAY};
pub(crate) use host::ModelHost;
pub(crate) use invariants::Invariants;
pub(crate) use journal::Notes;
pub(crate) use plug::Plug;
pub(crate) use servers::ModelContact;
pub(crate) use sim_host::SimHost;

use plug::CutStore;

pub(crate) const GB: u64 = 1_000_000_000;

/// Everything that is there before and after a power cut.
pub(crate) struct World {
    pub(crate) plug: Plug,
    pub(crate) host: ModelHost,
    pub(crate) contact: ModelContact,
    pub(crate) authority: Authority,
    pub(crate) clock: TestClock,
    /// Real headers on simulated media, in the place of `host`.
    pub(crate) real: Option<SimHost>,
    /// The policy of every process from now on.
    pub(crate) decommission: Decommission,
    /// The audit log, where one is kept.
    pub(crate) journal: Option<Arc<Notes>>,
    /// An administrator has given up something.
    pub(crate) is_forced: bool,
    store: Arc<MemoryStore>,
    dir: TempDir,
}

/// A clock that only moves when told.
#[derive(Clone, Default)]
pub(crate) struct TestClock {
    passed: Arc<AtomicU64>,
    /// Seconds that the time of day is off.
    off: Arc<AtomicI64>,
}

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.passed.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Somebody sets the time of day: so many seconds ahead, or back, of what it would be.
    pub(crate) fn set_off(&self, seconds: i64) {
        self.off.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::SeqCst))
    }

    fn wall(&self) -> UnixSeconds {
        let passed = authority::NOW.0 + self.elapsed().as_secs();
        UnixSeconds(passed.saturating_add_signed(self.off.load(Ordering::SeqCst)))
    }

    fn random(&self) -> u16 {
        0
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let plug = Plug::default();
        Self {
            host: ModelHost::new(plug.clone()),
            plug,
            contact: ModelContact::default(),
            authority: Authority::new(),
            clock: TestClock::default(),
            real: None,
            decommission: Decommission::default(),
            journal: None,
            is_forced: false,
            store: Arc::default(),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        Arc::new(CutStore { inner: Arc::clone(&self.store), plug: self.plug.clone() })
    }

    pub(crate) fn internal(&self) -> InternalProvider {
        InternalProvider::new(Box::new(self.store()), Box::new(RootKeyFile::new(self.dir.path().join("root.key"))))
    }

    pub(crate) fn records(&self) -> Records {
        Records::new(self.store())
    }

    /// A fresh process over what is there.
    pub(crate) fn boot(&self) -> Arc<ClusterControl> {
        self.boot_with(Arc::new(self.contact.clone()), Arc::new(self.clock.clone()), None)
    }

    pub(crate) fn boot_with(
        &self,
        contact: Arc<dyn Contact>,
        clock: Arc<dyn Clock>,
        drives: Option<Arc<ekm_bridge::ReplicatedStore>>,
    ) -> Arc<ClusterControl> {
        let records = drives.clone().map_or_else(|| self.records(), |drives| Records::new(drives));
        let control = ClusterControl::new(Parts {
            records,
            drives,
            internal: Arc::new(self.internal()),
            contact,
            host: match &self.real {
                Some(real) => Arc::new(real.clone()),
                None => Arc::new(self.host.clone()),
            },
            clock,
            metrics: None,
            journal: self.journal.clone().map(|notes| notes as Arc<dyn Journal>),
            config: Config {
                addresses: vec!["192.0.2.1".into()],
                providers: Settings { copies: 1, ..Settings::default() },
                // A cut is at a certain step only when steps come one after the other.
                parallel: if self.real.is_some() { 1 } else { 3 },
                rewraps: NonZeroUsize::new(if self.real.is_some() { 1 } else { 3 }).unwrap(),
                decommission: self.decommission,
                ..Config::default()
            },
        });
        control.recover().unwrap();
        control
    }

    /// The power fails: nothing is open any more.
    pub(crate) fn reboot(&self) -> Arc<ClusterControl> {
        self.plug.repair();
        self.host.forget_open();
        self.real.iter().for_each(SimHost::forget_open);
        self.boot()
    }

    /// A cluster with software encryption, and a provider with one key server called `vault`.
    pub(crate) fn with_provider(&self) -> (Arc<ClusterControl>, KeyProviderId) {
        let control = self.boot();
        create_cluster(&control);
        let provider = self.add_provider(&control);
        self.add_server(&control, provider, "vault");
        (control, provider)
    }

    pub(crate) fn add_provider(&self, control: &ClusterControl) -> KeyProviderId {
        control.create_key_provider("keys".into()).unwrap().id
    }

    pub(crate) fn add_server(&self, control: &ClusterControl, provider: KeyProviderId, host: &str) -> KeyServerId {
        let server = self.create_server(control, host);
        control.add_key_server(AddKeyServer { provider, server }).unwrap();
        server
    }

    /// A key server with a certificate for the cluster's key pair, which is made if there is none.
    pub(crate) fn create_server(&self, control: &ClusterControl, host: &str) -> KeyServerId {
        if control.sign_request().is_err() {
            control.create_key_pair(&CreateKeyPair::default()).unwrap();
        }
        control.create_key_server(self.new_server(host)).unwrap().id
    }

    pub(crate) fn new_server(&self, host: &str) -> CreateKeyServer {
        let (store, internal) = (self.store(), self.internal());
        let pair = KeyPairStore::new(store.as_ref(), &internal).load().unwrap().unwrap();
        CreateKeyServer {
            kmip_ca_certificate: self.authority.pem(),
            kmip_client_certificate: self.authority.issue(&pair),
            kmip_key_server_hostnames: vec![host.into()],
            kmip_key_server_name: host.into(),
            kmip_key_server_port: None,
        }
    }
}

pub(crate) fn new_cluster() -> NewCluster {
    static PASSWORD: std::sync::OnceLock<PasswordHash> = std::sync::OnceLock::new();
    let password = PASSWORD.get_or_init(|| PasswordHash::of(&Password::new("correct horse".into())).unwrap());
    NewCluster {
        mvip: "192.0.2.1".into(),
        svip: "192.0.2.1".into(),
        nodes: vec!["192.0.2.1".into()],
        attributes: serde_json::Map::new(),
        software_encryption: true,
        administrator: Account { name: "admin".into(), role: Role::Administrator, password: password.clone() },
    }
}

pub(crate) fn create_cluster(control: &ClusterControl) {
    control.create_cluster(new_cluster()).unwrap();
}

pub(crate) fn new_volume(name: &str) -> CreateVolume {
    CreateVolume {
        name: name.into(),
        account: AccountId(1),
        total_size: GB,
        enable512e: None,
        qos: None,
        attributes: None,
        associate_with_qos_policy: None,
        access: None,
        enable_snap_mirror_replication: None,
        qos_policy: None,
        protection_scheme: None,
        fifo_size: None,
        min_fifo_size: None,
    }
}

pub(crate) fn create_volumes(control: &ClusterControl, count: usize) -> Vec<Volume> {
    (0..count).map(|number| control.create_volume(new_volume(&format!("v{number}"))).unwrap()).collect()
}

/// Begins a rekey and drives it to its end; how it went.
pub(crate) fn rekey(control: &ClusterControl, to: Option<KeyProviderId>) -> AsyncResult {
    let handle = begin_rekey(control, to).unwrap();
    control.drive_rekey().unwrap();
    ekm_bridge::rpc::control::AsyncResults::async_result(control, handle, true).unwrap()
}

pub(crate) fn begin_rekey(control: &ClusterControl, to: Option<KeyProviderId>) -> Result<AsyncHandleId, ApiError> {
    let kind = if to.is_some() { KeyManagement::External } else { KeyManagement::Internal };
    control.rekey_master_key(RekeyMasterKey { key_management_type: Some(kind), provider: to })
}

/// Time passes, and the background does what it does.
pub(crate) fn later(world: &World, control: &ClusterControl, by: Duration) {
    world.clock.advance(by);
    control.tend().unwrap();
}

/// The key in force.
pub(crate) fn in_force(control: &ClusterControl) -> KeyId {
    KeyId(control.sear_info().unwrap().master_key_info.unwrap().id.unwrap())
}

/// What the ledger says of a key.
pub(crate) fn in_ledger(control: &ClusterControl, key: KeyId) -> MasterKey {
    control.master_keys().unwrap().into_iter().find(|known| known.info.id == Some(key.0)).unwrap()
}

pub(crate) fn is_done(result: &AsyncResult) -> bool {
    matches!(result.outcome, AsyncOutcome::Result(_))
}

/// The current faults of this code, or all.
pub(crate) fn current_faults(control: &ClusterControl, code: &str) -> Vec<ClusterFaultInfo> {
    let filter = ListFaults { best_practices: None, fault_types: Some(FaultFilter::Current) };
    let mut faults = control.faults(filter).unwrap();
    faults.retain(|fault| code.is_empty() || fault.code == code);
    faults
}

pub(crate) fn messages(control: &ClusterControl) -> Vec<String> {
    control.events(&ListEvents::default()).unwrap().into_iter().map(|event| event.message).collect()
}

/// The error, which must have this name.
pub(crate) fn refused<T>(outcome: Result<T, ApiError>, name: ErrorName) -> String {
    let error = outcome.err().expect("it is refused");
    assert_eq!(error.name, name, "{error}");
    error.message
}
