//! From the configuration to a daemon that serves, and to its end.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use datapath::cipher::dispatch::Engine;
use datapath::export::nbd::{self, BindError, Limits, RunError, TlsConfig};
use ekm_bridge::audit::AuditLog;
use ekm_bridge::cluster::{ClusterControl, Config, Journal, KmipContact, Parts, Running, VolumeHost};
use ekm_bridge::metrics::{Registry, Sear};
use ekm_bridge::provider::external::{Settings, SystemClock};
use ekm_bridge::records::Records;
use ekm_bridge::rpc::control::Cluster;
use ekm_bridge::rpc::methods::Port;
use ekm_bridge::rpc::server::Identity;
use ekm_bridge::rpc::{Hooks, Server, ServerConfig, Service};
use ekm_bridge::{StateDir, UnixSeconds};

use super::audit::{Auditor, log_path};
use super::error::DaemonError;
use super::host::FileHost;
use super::local::{self, Local};
use super::notify::Manager;
use super::settings::Section;
use super::signals::{Watched, Wish};
use super::{gauges, store};
use crate::serve::resolve;
use crate::wait::wait_until;

/// How long a killed daemon may take to be gone, with its sockets.
const DEATH: Duration = Duration::from_secs(5);

/// How long a command may hold the daemon's lock to see whether it is held.
const GLANCE: Duration = Duration::from_millis(100);

/// Everything that runs.
struct Daemon {
    api: Vec<Server>,
    local: Local,
    control: Running,
    nbd: Nbd,
    _lock: File,
}

/// The NBD server on its thread.
struct Nbd {
    handle: nbd::Handle,
    thread: JoinHandle<Result<(), RunError>>,
    addresses: Vec<String>,
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

/// Serves until a signal ends it. `ready` is told where; `reload` is called on SIGHUP.
///
/// # Errors
/// See [`DaemonError`].
pub(crate) fn run<E: From<DaemonError>>(
    section: &Section,
    state: &Path,
    engine: Engine,
    ready: impl FnOnce(&Serving) -> Result<(), E>,
    reload: impl Fn(),
) -> Result<(), E> {
    let manager = Manager::from_environment();
    let mut signals = Watched::start().map_err(DaemonError::Threads)?;
    let (daemon, serving) = Daemon::start(section, state, engine)?;
    ready(&serving)?;
    manager.keep_alive(daemon.pulse()).map_err(DaemonError::Threads)?;
    manager.ready();
    while signals.wait() == Wish::Reload {
        reload();
    }
    tracing::info!("asked to stop");
    manager.stopping();
    Ok(daemon.stop()?)
}

impl Daemon {
    fn start(section: &Section, state: &Path, engine: Engine) -> Result<(Self, Serving), DaemonError> {
        let dir = StateDir::open(state)?;
        let run_dir = dir.run_dir()?;
        let lock = take_lock(&lock_path(&run_dir))?;
        let opened = store::open(&dir, &section.metadata)?;
        let registry = Arc::new(Registry::new());
        let metrics = Arc::new(Sear::register(&registry)?);
        let audit = log_path(dir.path());
        let audit = AuditLog::open(&audit, section.audit_limit_mib << 20, UnixSeconds::now())?;
        let auditor = Arc::new(Auditor::new(audit, Arc::clone(&metrics)));
        let (nbd, publisher) = Nbd::start(section, &run_dir)?;
        let data = section.data.clone().unwrap_or_else(|| dir.path().join("volumes"));
        let host = Arc::new(FileHost::new(data, publisher, engine)?);
        let control = ClusterControl::new(parts(opened, &host, &metrics, &auditor, section));
        let running = control.start()?;
        let hooks = Hooks { observer: auditor.clone(), metrics: expose(registry, metrics, host) };
        let api = start_api(section, &dir, &control, &hooks)?;
        let socket = local::socket(&run_dir);
        let local = Local::start(socket.clone(), Service::new(control, auditor, Port::Any))?;
        let serving = Serving { api: api.iter().map(Server::address).collect(), nbd: nbd.addresses.clone(), socket };
        Ok((Self { api, local, control: running, nbd, _lock: lock }, serving))
    }

    /// Whether the store can be read, which everything else waits for.
    fn pulse(&self) -> impl Fn() -> bool + Send + 'static {
        let control = Arc::clone(self.control.control());
        move || control.cluster_exists().is_ok()
    }

    /// Nobody asks any more; every volume is closed; then the data path ends.
    fn stop(self) -> Result<(), DaemonError> {
        let Self { api, local, control, nbd, _lock } = self;
        api.into_iter().for_each(Server::stop);
        drop(local);
        let closed = control.stop().map_err(DaemonError::Close);
        nbd.handle.shutdown();
        let ended = nbd.thread.join().map_err(|_| DaemonError::Threads(std::io::Error::other("it panicked")))?;
        closed?;
        Ok(ended?)
    }
}

impl Nbd {
    /// Listens where it is told to, else at a socket in the directory of sockets.
    fn start(section: &Section, run_dir: &Path) -> Result<(Self, nbd::Publisher), DaemonError> {
        let listen = match &section.nbd {
            None => vec![nbd::Listen::Unix(run_dir.join("nbd.sock"))],
            Some(typed) => typed
                .iter()
                .map(|typed| resolve(&typed.0))
                .collect::<Result<_, _>>()
                .map_err(|error| DaemonError::Section(format!("nbd: {error}")))?,
        };
        let tls = section.nbd_tls().map_err(DaemonError::Section)?;
        let server = bind(&listen, tls.as_ref())?;
        let (handle, publisher) = (server.handle(), server.publisher());
        let addresses = server.addresses().iter().map(ToString::to_string).collect();
        let thread = thread::Builder::new().name("nbd".to_owned()).spawn(move || server.run());
        Ok((Self { handle, thread: thread.map_err(DaemonError::Threads)?, addresses }, publisher))
    }
}

/// Listens. The ring of a killed daemon holds its sockets until the kernel has taken it apart, a moment after its end.
fn bind(listen: &[nbd::Listen], tls: Option<&TlsConfig>) -> Result<nbd::Server, DaemonError> {
    let once = || {
        let (exports, listen, tls) = (Vec::new(), listen.to_vec(), tls.cloned());
        nbd::Server::bind(nbd::Config { exports, listen, tls, limits: Limits::default(), workers: None, ring: None })
    };
    let mut outcome = once();
    wait_until(DEATH, || {
        if let Err(BindError::Listen(_)) = outcome {
            outcome = once();
        }
        !matches!(outcome, Err(BindError::Listen(_)))
    });
    Ok(outcome?)
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
        config: Config { providers, decommission: section.decommission(), ..Config::default() },
    }
}

fn expose(registry: Arc<Registry>, metrics: Arc<Sear>, host: Arc<FileHost>) -> Arc<dyn Fn() -> String + Send + Sync> {
    Arc::new(move || gauges::expose(&registry, &metrics, &host))
}

/// One server for each address. Public clients expect the cluster's methods on 443 and a node's on 442.
fn start_api(
    section: &Section,
    dir: &StateDir,
    control: &Arc<ClusterControl>,
    hooks: &Hooks,
) -> Result<Vec<Server>, DaemonError> {
    let start = |&listen: &SocketAddr| {
        let port = match listen.port() {
            443 => Port::Cluster,
            442 => Port::Node,
            _ => Port::Any,
        };
        let config = ServerConfig::new(listen, identity(section, dir)?);
        let config = ServerConfig { port, setup: section.setup(), ..config };
        Ok(Server::start(config, Arc::clone(control) as Arc<_>, hooks.clone())?)
    };
    section.api.iter().map(start).collect()
}

/// The files that are named, else the certificate in the state directory.
fn identity(section: &Section, dir: &StateDir) -> Result<Identity, DaemonError> {
    match (&section.api_cert, &section.api_key) {
        (Some(certificate), Some(key)) => {
            let read = |path: &Path| {
                fs::read(path).map_err(|source| DaemonError::Io { doing: "read", path: path.to_owned(), source })
            };
            let key = zeroize::Zeroizing::new(read(key)?);
            Ok(Identity::from_pem(&read(certificate)?, &key)?)
        }
        (None, None) => {
            let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
            names.extend(section.api_names.iter().cloned());
            Ok(Identity::kept_in(dir, &names)?)
        }
        _ => Err(DaemonError::Section("api-cert and api-key belong together".to_owned())),
    }
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
