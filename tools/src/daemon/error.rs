//! Why the daemon does not start, or did not end in order.

use std::io;
use std::path::PathBuf;

use datapath::export::nbd::{BindError, RunError, TlsError};
use ekm_bridge::NodeError;
use ekm_bridge::audit::AuditError;
use ekm_bridge::cluster::HostError;
use ekm_bridge::metrics::BadName;
use ekm_bridge::records::RecordError;
use ekm_bridge::rpc::ApiError;
use ekm_bridge::rpc::server::IdentityError;
use ekm_bridge::state_dir::StateError;
use ekm_bridge::store::StoreError;
use ekm_bridge::store::replicated::{DriveRefused, StartError};

use crate::exit::Exit;

/// See the module.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DaemonError {
    /// Another daemon has the state directory.
    #[error("another daemon runs in this state directory (lock {})", .0.display())]
    Running(PathBuf),
    /// A command wants what a running daemon has.
    #[error(
        "a daemon runs in this state directory and has it for itself (lock {}): use its commands (`sear api`, `sear keys` \
         and so on), or another directory with --state-dir", .0.display()
    )]
    Owned(PathBuf),
    /// A command wants what only a server of its own can do.
    #[error(
        "a daemon runs in this state directory and serves its volumes; {0} needs a server of its own: stop the daemon, or \
         use another directory with --state-dir"
    )]
    NeedsOwnServer(&'static str),
    /// The daemon does not know what lies there.
    #[error("no volume of the daemon lies at {}: take it on with `sear volume adopt`", .0.display())]
    NotItsVolume(PathBuf),
    /// The daemon knows the volume, and serves it not.
    #[error("the volume at {} is {why}", path.display())]
    NotServed {
        /// Where it lies.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// A header of another volume.
    #[error("the backup is of volume {backup}, and the daemon's volume at {} is {volume}", path.display())]
    AnotherHeader {
        /// Where the volume lies.
        path: PathBuf,
        /// Its UUID.
        volume: uuid::Uuid,
        /// That of the backup.
        backup: uuid::Uuid,
    },
    /// The configuration contradicts itself.
    #[error("[daemon]: {0}")]
    Section(String),
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The embedded store cannot be used.
    #[error(transparent)]
    Node(NodeError),
    /// The embedded store does not open for good.
    #[error(transparent)]
    Store(StoreError),
    /// What is remembered cannot be read.
    #[error(transparent)]
    Records(#[from] RecordError),
    /// No drive is configured.
    #[error("no metadata drive is named")]
    NoDrive,
    /// The metadata drives cannot be used.
    #[error("the metadata drives cannot be used")]
    Drives(#[source] StartError),
    /// A new metadata drive cannot be used.
    #[error("a metadata drive cannot take part")]
    Drive(#[source] DriveRefused),
    /// The NBD server does not start.
    #[error("cannot serve over NBD")]
    Nbd(#[from] BindError),
    /// The NBD server did not end in order.
    #[error("the NBD server did not end in order")]
    NbdEnd(#[from] RunError),
    /// The certificate of the NBD server cannot be used.
    #[error("TLS of the NBD server cannot be used")]
    NbdTls(#[source] TlsError),
    /// The NBD server has ended, and nobody asked it to.
    #[error("the NBD server has ended by itself: no volume is served any more")]
    NbdGone,
    /// The data directory cannot be used.
    #[error("the data directory cannot be used")]
    Data(#[from] HostError),
    /// The audit log cannot be used.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// Metrics clash.
    #[error(transparent)]
    Metrics(#[from] BadName),
    /// The control plane does not start.
    #[error("the control plane does not start")]
    Control(#[from] ekm_bridge::cluster::StartError),
    /// A volume did not close in order.
    #[error("the volumes did not close in order")]
    Close(#[source] ApiError),
    /// The API's certificate cannot be used.
    #[error("the certificate of the API cannot be used")]
    Identity(#[from] IdentityError),
    /// The API server does not start.
    #[error("cannot serve the API")]
    Api(#[from] ekm_bridge::rpc::server::StartError),
    /// The operating system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// No threads.
    #[error("cannot start a thread of the daemon")]
    Threads(#[source] io::Error),
    /// Nobody answers for the daemon.
    #[error("no daemon runs in this state directory (socket {})", .0.display())]
    NotRunning(PathBuf),
    /// The daemon said no.
    #[error("{name}: {message}")]
    Refused {
        /// The stable name of the error.
        name: String,
        /// What happened.
        message: String,
    },
    /// The daemon's answer is no answer.
    #[error("the daemon gave an answer that is not understood: {0}")]
    Answer(String),
    /// The audit log does not hold.
    #[error(transparent)]
    Verify(#[from] ekm_bridge::audit::VerifyError),
}

impl DaemonError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Running(_) | Self::Owned(_) | Self::NeedsOwnServer(_) => Exit::InUse,
            Self::NotItsVolume(_) | Self::NotServed { .. } => Exit::KeyMissing,
            Self::AnotherHeader { .. } => Exit::Refused,
            Self::Refused { name, .. } => of_name(name),
            Self::Section(_) => Exit::Usage,
            Self::Verify(_) => Exit::Unauthentic,
            _ => Exit::Failed,
        }
    }
}

/// As the same failure ends a command without a daemon.
fn of_name(name: &str) -> Exit {
    match name {
        "xPlaceOccupied" => Exit::Refused,
        "xPassphraseWrong" => Exit::Unauthentic,
        "xVolumeInUse" => Exit::InUse,
        "xKeyUnavailable" => Exit::KeyMissing,
        _ => Exit::Failed,
    }
}
