//! From the configuration to a daemon that serves, and to its end.

use std::fs::{File, OpenOptions, TryLockError};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datapath::cipher::dispatch::Engine;
use datapath::export::nbd::Publisher;
use ekm_bridge::audit::AuditLog;
use ekm_bridge::cluster::{ClusterControl, Config, Journal, KmipContact, Parts, Running, VolumeHost};
use ekm_bridge::metrics::{Registry, Sear};
use ekm_bridge::provider::external::{Settings, SystemClock};
use ekm_bridge::records::Records;
use ekm_bridge::rpc::control::Cluster;
use ekm_bridge::rpc::methods::Port;
use ekm_bridge::rpc::{Hooks, Server, Service};
use ekm_bridge::{StateDir, UnixSeconds};

use super::audit::{Auditor, log_path};
use super::error::DaemonError;
use super::gauges::Gauges;
use super::host::{FileHost, Scope, Surroundings};
use super::local::{self, Local};
use super::nbd::{self, Nbd};
use super::notify::Manager;
use super::reload::Reload;
use super::settings::Section;
use super::signals::{Watched, Wish};
use super::{api, confine, store};
use crate::hardening;
use crate::wait::wait_until;

/// How long a command may hold the daemon's lock to see whether it is held.
const GLANCE: Duration = Duration::from_millis(100);

/// What a daemon is made from.
pub(crate) struct Start<'a> {
    /// Its configuration.
    pub(crate) section: &'a Section,
    /// Where it remembers.
    pub(crate) state: &'a Path,
    /// What encrypts.
    pub(crate) engine: Engine,
    /// Whether it confines itself, and where its configuration is read again from.
    pub(crate) confined: Option<&'a [PathBuf]>,
}

/// Everything that runs.
struct Daemon {
    section: Section,
    dir: StateDir,
    api: Vec<Server>,
    local: Local,
    control: Running,
    nbd: Nbd,
    publisher: Publisher,
    _lock: File,
}

/// What is told once it serves.
#[derive(Debug)]
pub(crate) struct Serving {
    /// Where the API is.
    pub(crate) api: Vec<SocketAddr>,
    /// Where volumes are, by NBD URI; the export is the volume's name.
    pub(crate) nbd: Vec<String>,
    /// The local socket.
    pub(crate) socket: PathBuf,
}

/// Serves until a signal ends it. `ready` is told where; `reload` is called on SIGHUP and gives what is configured now.
///
/// # Errors
/// See [`DaemonError`].
pub(crate) fn run<E: From<DaemonError>>(
    start: &Start<'_>,
    ready: impl FnOnce(&Serving) -> Result<(), E>,
    reload: impl Fn() -> Option<Section>,
) -> Result<(), E> {
    let manager = Manager::from_environment();
    let mut signals = Watched::start().map_err(DaemonError::Threads)?;
    let (daemon, serving) = Daemon::start(start, signals.ending())?;
    ready(&serving)?;
    manager.keep_alive(daemon.pulse()).map_err(DaemonError::Threads)?;
    manager.ready();
    let wish = loop {
        match signals.wait() {
            Wish::Reload => daemon.reload(reload()),
            wish => break wish,
        }
    };
    manager.stopping();
    match wish {
        Wish::Ended => tracing::error!("the NBD server has ended by itself"),
        _ => tracing::info!("asked to stop"),
    }
    daemon.stop()?;
    if wish == Wish::Ended { Err(DaemonError::NbdGone.into()) } else { Ok(()) }
}

impl Daemon {
    /// Opens and binds everything; confines the process; starts what answers.
    fn start(start: &Start<'_>, ended: impl FnOnce() + Send + 'static) -> Result<(Self, Serving), DaemonError> {
        let section = start.section;
        let dir = StateDir::open(start.state)?;
        let run_dir = dir.run_dir()?;
        let lock = take_lock(&lock_path(&run_dir))?;
        let opened = store::open(&dir, &section.metadata)?;
        let registry = Arc::new(Registry::new());
        let metrics = Arc::new(Sear::register(&registry)?);
        let audit = log_path(dir.path());
        let audit = AuditLog::open(&audit, section.audit_limit_mib << 20, UnixSeconds::now())?;
        let auditor = Arc::new(Auditor::new(audit, Arc::clone(&metrics), section.audit_required));
        let nbd = nbd::Bound::bind(section, &run_dir)?;
        let (publisher, addresses) = (nbd.publisher(), nbd.addresses());
        let data = section.data.clone().unwrap_or_else(|| dir.path().join("volumes"));
        let volumes = store::places(&opened.store)?;
        let config = start.confined.unwrap_or_default();
        let places =
            confine::Places { state: dir.path(), data: &data, config, volumes: &volumes, sockets: nbd.sockets() };
        let scope = match start.confined {
            Some(_) => Scope::of(confine::scope(section, &places)),
            None => Scope::everything(),
        };
        let scope = scope.without(confine::own(section, &places));
        let surroundings = Surroundings { run_dir: run_dir.clone(), listens: nbd.uris() };
        let host = FileHost::new((data.clone(), scope), publisher.clone(), start.engine, surroundings)?;
        let host = Arc::new(host);
        let api = api::bind(section, &dir)?;
        let local = local::Bound::bind(local::socket(&run_dir))?;
        if start.confined.is_some() {
            hardening::confine(&confine::needs(section, places), |act| nbd.each_thread(act));
        }
        // From here on every thread inherits what this one has given up.
        let nbd = nbd.serve(ended)?;
        let control = ClusterControl::new(parts(opened, &host, &metrics, &auditor, section));
        let running = control.start()?;
        let hooks = Hooks { observer: auditor.clone(), metrics: expose(registry, metrics, host) };
        let api = api::serve(api, section, &control, &hooks)?;
        let local = local.serve(Service::new(control, auditor, Port::Any))?;
        let socket = local.socket().to_owned();
        let serving = Serving { api: api.iter().map(Server::address).collect(), nbd: addresses, socket };
        let section = section.clone();
        Ok((Self { section, dir, api, local, control: running, nbd, publisher, _lock: lock }, serving))
    }

    /// Whether the store can be read, which everything else waits for.
    fn pulse(&self) -> impl Fn() -> bool + Send + 'static {
        let control = Arc::clone(self.control.control());
        move || control.cluster_exists().is_ok()
    }

    /// Takes over what is configured now; nothing, if that cannot be read.
    fn reload(&self, new: Option<Section>) {
        let Self { section: started, dir, api, publisher, .. } = self;
        let reload = Reload { started, dir, api, publisher, control: self.control.control() };
        new.iter().for_each(|new| reload.apply(new));
    }

    /// Nobody asks any more; every volume is closed; then the data path ends.
    fn stop(self) -> Result<(), DaemonError> {
        let Self { api, local, control, nbd, _lock, .. } = self;
        api.into_iter().for_each(Server::stop);
        drop(local);
        let closed = control.stop().map_err(DaemonError::Close);
        // Why it could not serve counts before what that led to.
        nbd.stop()?;
        closed
    }
}

fn parts(
    opened: store::Opened,
    host: &Arc<FileHost>,
    metrics: &Arc<Sear>,
    auditor: &Arc<Auditor>,
    section: &Section,
) -> Parts {
    let store::Opened { store, drives, internal } = opened;
    let defaults = Settings::default();
    let copies = section.key_copies.unwrap_or(defaults.copies);
    let providers = Settings { cache: section.cache(), copies };
    Parts {
        records: Records::new(Arc::clone(&store)),
        drives,
        contact: Arc::new(KmipContact::new(store, Arc::clone(&internal))),
        internal,
        host: Arc::clone(host) as Arc<dyn VolumeHost>,
        clock: Arc::new(SystemClock::default()),
        metrics: Some(Arc::clone(metrics)),
        journal: Some(Arc::clone(auditor) as Arc<dyn Journal>),
        config: Config {
            providers,
            decommission: section.decommission(),
            purge_after: section.purge_after(),
            rewraps: section.rekey_headers,
            ..Config::default()
        },
    }
}

fn expose(registry: Arc<Registry>, metrics: Arc<Sear>, host: Arc<FileHost>) -> Arc<dyn Fn() -> String + Send + Sync> {
    let gauges = Gauges { registry, metrics, host, one_at_a_time: Mutex::default() };
    Arc::new(move || gauges.expose())
}

/// The file that a running daemon has locked, in the directory of sockets.
pub(crate) fn lock_path(run_dir: &Path) -> PathBuf {
    run_dir.join("daemon.lock")
}

/// One daemon for each state directory, for as long as the file is open.
fn take_lock(path: &Path) -> Result<File, DaemonError> {
    let failed = |doing| move |source| DaemonError::Io { doing, path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(path).map_err(failed("open"))?;
    // A command that looks whether there is a daemon has it for an instant.
    let mut locked = file.try_lock();
    wait_until(GLANCE, || {
        if let Err(TryLockError::WouldBlock) = locked {
            locked = file.try_lock();
        }
        !matches!(locked, Err(TryLockError::WouldBlock))
    });
    match locked {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DaemonError::Running(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed("lock")(source)),
    }
}
