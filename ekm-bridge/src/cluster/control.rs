//! The one object behind the API, and what it is made of.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use uuid::Uuid;

use super::errors::of_record;
use super::headers::CatchUp;
use super::host::{HostStats, VolumeHost};
use super::journal::Journal;
use super::keys::Contact;
use super::rekey::Waiting;
use super::run::Retry;
use super::shared_clock::SharedClock;
use super::trusted_time::TrustedTime;
use super::volumes::Turns;
use crate::metrics::Sear;
use crate::provider::InternalProvider;
use crate::provider::external::{CachePolicy, Clock, ExternalProvider, Settings};
use crate::records::{Cluster, KeyProviderId, Only, Records, VolumeId};
use crate::rpc::control::Outcome;
use crate::rpc::types::NodeId;
use crate::rpc::{ApiError, ErrorName};
use crate::store::ReplicatedStore;
use crate::time::UnixSeconds;

/// The number of the one node that there is.
pub(super) const NODE: NodeId = NodeId(1);

/// What an administrator of the node may choose.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name of a new cluster.
    pub name: String,
    /// The addresses of this node: `CreateCluster` has to name one of them. Empty when any will do.
    pub addresses: Vec<String>,
    /// How key providers treat keys: see `docs/keys.md`.
    pub providers: Settings,
    /// Volumes that are opened, and headers that are read, at the same time.
    pub parallel: usize,
    /// Headers that are wrapped by a new master key at the same time. Each waits for its medium most of the time.
    pub rewraps: NonZeroUsize,
    /// The longest pause before another try to unlock what is locked.
    pub retry: Duration,
    /// When a master key that nothing depends on any more is destroyed.
    pub decommission: Decommission,
    /// How long a deleted volume is kept before it is purged; `None`: until somebody purges it.
    pub purge_after: Option<Duration>,
}

/// When a master key that nothing depends on any more is destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decommission {
    /// At once.
    #[default]
    AtOnce,
    /// So long after it was replaced.
    After(Duration),
    /// When an administrator says so.
    ByWord,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "sear".into(),
            addresses: Vec::new(),
            providers: Settings::default(),
            parallel: 8,
            rewraps: const { NonZeroUsize::new(4).unwrap() },
            retry: Duration::from_secs(1),
            decommission: Decommission::default(),
            purge_after: Some(Duration::from_secs(8 * 3600)),
        }
    }
}

/// What the control plane stands on.
pub struct Parts {
    /// What is remembered.
    pub records: Records,
    /// The metadata drives, when `records` is kept on them.
    pub drives: Option<Arc<ReplicatedStore>>,
    /// The internal provider, its keys in the same store.
    pub internal: Arc<InternalProvider>,
    /// How key servers are reached.
    pub contact: Arc<dyn Contact>,
    /// The data path.
    pub host: Arc<dyn VolumeHost>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Numbers for a monitoring system.
    pub metrics: Option<Arc<Sear>>,
    /// The audit log.
    pub journal: Option<Arc<dyn Journal>>,
    /// What was chosen.
    pub config: Config,
}

/// The control plane. It implements [`crate::rpc::Control`]; [`Self::start`] brings it to life.
pub struct ClusterControl {
    pub(super) records: Records,
    pub(super) drives: Option<Arc<ReplicatedStore>>,
    pub(super) internal: Arc<InternalProvider>,
    pub(super) contact: Arc<dyn Contact>,
    pub(super) host: Arc<dyn VolumeHost>,
    pub(super) clock: SharedClock,
    /// How far the time of day is believed.
    pub(super) trusted: Mutex<TrustedTime>,
    pub(super) metrics: Option<Arc<Sear>>,
    pub(super) journal: Option<Arc<dyn Journal>>,
    pub(super) config: Config,
    /// How providers treat keys in memory, now.
    pub(super) cache: Mutex<CachePolicy>,
    /// Providers over key servers, made when they are first needed.
    pub(super) providers: Mutex<BTreeMap<KeyProviderId, Arc<ExternalProvider>>>,
    /// Read by whoever makes, opens or grows a volume with a master key; written by whoever puts another key in force
    /// or begins a pass over all volumes. So no volume is made with a key that has just been replaced.
    pub(super) in_force: RwLock<()>,
    /// Calls about one volume happen one after the other.
    pub(super) turns: Turns,
    /// Changes of key servers and providers happen one after the other.
    pub(super) assigning: Mutex<()>,
    /// When to try again to unlock what is locked.
    pub(super) retry: Mutex<Retry>,
    /// When to look at certificates again.
    pub(super) next_watch: Mutex<Duration>,
    /// When to look again for volumes to purge, and to record what volumes did.
    pub(super) next_housekeeping: Mutex<Duration>,
    /// What is recorded already of what open volumes did since they were opened.
    pub(super) recorded: Mutex<BTreeMap<VolumeId, HostStats>>,
    /// What the rekey waits for, if it does.
    pub(super) waiting: Mutex<Option<Waiting>>,
    /// Who drives the rekey does it alone.
    pub(super) rekeying: Mutex<()>,
    /// Who ends an old key does it alone.
    pub(super) ending: Mutex<()>,
    /// When to try again to bring along what a rekey left behind.
    pub(super) catching_up: Mutex<CatchUp>,
    /// When to ask key servers for the state of master keys again.
    pub(super) next_key_watch: Mutex<Duration>,
    pub(super) wake: Wake,
}

/// How the background threads are woken and stopped.
#[derive(Default)]
pub(super) struct Wake {
    pub(super) state: Mutex<WakeState>,
    pub(super) changed: Condvar,
}

#[derive(Default)]
pub(super) struct WakeState {
    pub(super) stop: bool,
    pub(super) rekey: bool,
}

impl ClusterControl {
    /// The control plane over these parts. Nothing is opened yet.
    #[must_use]
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { records, drives, internal, contact, host, clock, metrics, journal, config } = parts;
        Arc::new(Self {
            records,
            drives,
            internal,
            contact,
            host,
            clock: SharedClock(clock),
            trusted: Mutex::default(),
            metrics,
            journal,
            cache: Mutex::new(config.providers.cache),
            config,
            providers: Mutex::default(),
            in_force: RwLock::default(),
            turns: Turns::default(),
            assigning: Mutex::default(),
            retry: Mutex::default(),
            next_watch: Mutex::default(),
            next_housekeeping: Mutex::default(),
            recorded: Mutex::default(),
            waiting: Mutex::default(),
            rekeying: Mutex::default(),
            ending: Mutex::default(),
            catching_up: Mutex::default(),
            next_key_watch: Mutex::default(),
            wake: Wake::default(),
        })
    }

    /// Whether the threads in the background are to end.
    pub(super) fn is_stopping(&self) -> bool {
        lock(&self.wake.state).stop
    }

    pub(super) fn now(&self) -> UnixSeconds {
        self.clock.wall()
    }

    /// The cluster's record, `None` before there is a cluster.
    pub(super) fn cluster(&self) -> Outcome<Option<Cluster>> {
        self.records.table::<Cluster>().get(Only).map_err(of_record)
    }

    pub(super) fn need_cluster(&self) -> Outcome<Cluster> {
        let absent =
            || ApiError::new(ErrorName::ClusterDoesNotExist, "there is no cluster yet; call CreateCluster first");
        self.cluster()?.ok_or_else(absent)
    }

    pub(super) fn cluster_uuid(&self) -> Outcome<Uuid> {
        Ok(self.need_cluster()?.uuid)
    }
}

/// What these locks guard is whole between any two statements, so another thread's panic changes nothing.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn read(lock: &RwLock<()>) -> std::sync::RwLockReadGuard<'_, ()> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write(lock: &RwLock<()>) -> std::sync::RwLockWriteGuard<'_, ()> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
