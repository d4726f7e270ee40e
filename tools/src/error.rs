//! Why a run failed: what is wrong, where, and what to do about it.

use std::error::Error as _;
use std::io;
use std::path::{Path, PathBuf};

use datapath::cipher::dispatch::NoEngine;
use datapath::export::fuse;
use datapath::export::nbd::{BindError, ListenError, RunError};
use datapath::export::ublk::UblkError;
use datapath::volume::OpenError;
use ekm_bridge::registry::RegistryError;
use ekm_bridge::{NodeError, ProviderError};
use keywrap::geometry::ByteLen;
use keywrap::keys::{BadVolumeKey, KeyId};
use keywrap::volume::{ErrorKind, VolumeError};

use crate::chain::ChainError;
use crate::config::ConfigError;
use crate::daemon::DaemonError;
use crate::exit::Exit;
use crate::probe::Finding;

/// Everything that ends a run early. [`Error::exit`] is the stable kind; the text may change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The operating system refused.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A result could not be put into JSON.
    #[error("cannot write the result as JSON")]
    Json(#[source] serde_json::Error),
    /// Standard output failed.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// The terminal failed.
    #[error("cannot use the terminal")]
    Terminal(#[source] io::Error),
    /// Nobody can be asked.
    #[error("there is no terminal to ask on")]
    NoTerminal,
    /// The person gave up at a prompt.
    #[error("given up at the prompt; nothing was changed")]
    Aborted,
    /// A passphrase of no bytes.
    #[error("an empty passphrase protects nothing")]
    EmptyPassphrase,
    /// The two entries of a new passphrase are not the same.
    #[error("the two passphrases differ; nothing was changed")]
    PassphrasesDiffer,
    /// A line that is too long.
    #[error("a typed passphrase has at most {limit} bytes")]
    TypedTooLong {
        /// In bytes.
        limit: usize,
    },
    /// A passphrase file that is too long.
    #[error("{} holds more than {limit} bytes, too long for a passphrase", path.display())]
    PassphraseTooLong {
        /// The file.
        path: PathBuf,
        /// In bytes.
        limit: usize,
    },
    /// There is nothing at a path that must exist.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// A new volume without a size.
    #[error("there is no volume at {}, and no size is given to make one", path.display())]
    SizeNeeded {
        /// The path.
        path: PathBuf,
    },
    /// The volume that exists has another size.
    #[error("{} has {found} of usable space, not {asked}", path.display())]
    SizeDiffers {
        /// The volume.
        path: PathBuf,
        /// What `--size` says.
        asked: ByteLen,
        /// What the volume has.
        found: ByteLen,
    },
    /// The volume that exists has another sector size.
    #[error("{} has sectors of {found} bytes, not {asked}", path.display())]
    SectorSizeDiffers {
        /// The volume.
        path: PathBuf,
        /// What `--sector-size` says.
        asked: u32,
        /// What the volume has.
        found: u32,
    },
    /// A size that does not divide into sectors.
    #[error("{asked} is not a whole number of sectors of {sector} bytes")]
    SizeUneven {
        /// What `--size` says.
        asked: ByteLen,
        /// The sector size.
        sector: u32,
    },
    /// A volume cannot have the size that was asked for.
    #[error("{} cannot be resized: {reason}", path.display())]
    Resize {
        /// The file or device.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// No room for a header and one sector.
    #[error("{} holds {found}, which leaves no room for data behind the {needed} of the header", path.display())]
    TooSmall {
        /// The file or device.
        path: PathBuf,
        /// Its length.
        found: ByteLen,
        /// The header's length.
        needed: ByteLen,
    },
    /// A path that is neither file nor block device.
    #[error("{} is {kind}, not a regular file or block device", path.display())]
    NotABacking {
        /// The path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// Something would be destroyed.
    #[error("{} is not empty: it holds {}", path.display(), list(findings))]
    Occupied {
        /// The path.
        path: PathBuf,
        /// What was found.
        findings: Vec<Finding>,
    },
    /// A volume is there already.
    #[error("{} is a LUKS2 volume already", path.display())]
    AlreadyAVolume {
        /// The path.
        path: PathBuf,
    },
    /// An output file is there already.
    #[error("{} exists already and is not overwritten", path.display())]
    OutputExists {
        /// The path.
        path: PathBuf,
    },
    /// The typed confirmation is not the volume's UUID.
    #[error("not confirmed; {} was not touched", path.display())]
    NotConfirmed {
        /// The path.
        path: PathBuf,
    },
    /// Not LUKS2 at all.
    #[error("{} is not a LUKS2 volume", path.display())]
    NotAVolume {
        /// The path.
        path: PathBuf,
    },
    /// LUKS2, but no keyslot of ours.
    #[error("{} is a LUKS2 volume that no master key opens", path.display())]
    NotAdopted {
        /// The path.
        path: PathBuf,
    },
    /// The master keys that would open it are not here.
    #[error("{} needs master key {}, which is not in {}", path.display(), ids(wanted), state.display())]
    KeyMissing {
        /// The volume.
        path: PathBuf,
        /// Any of these would do.
        wanted: Vec<KeyId>,
        /// The state directory that was looked in.
        state: PathBuf,
    },
    /// Another process serves or changes the volume.
    #[error("volume {uuid} is {} by another process (lock {})", doing, lock.display())]
    InUse {
        /// The volume.
        uuid: uuid::Uuid,
        /// Served or changed.
        doing: &'static str,
        /// The lock file.
        lock: PathBuf,
    },
    /// A device that the kernel or another program has claimed.
    #[error("{} is in use by the system: mounted, or part of another device", path.display())]
    Busy {
        /// The device.
        path: PathBuf,
    },
    /// A backing that another process serves, makes or erases.
    #[error("{} is being served or changed by another program", path.display())]
    Claimed {
        /// The file or device.
        path: PathBuf,
    },
    /// A host name without an address.
    #[error("cannot look up {address}")]
    LookUp {
        /// The address as typed.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// The server cannot start.
    #[error("cannot serve the volume")]
    Bind(#[from] BindError),
    /// The server did not end in order.
    #[error("the server did not end in order")]
    Run(#[from] RunError),
    /// The block device could not be made or removed.
    #[error(transparent)]
    Ublk(#[from] UblkError),
    /// The FUSE export cannot start.
    #[error("cannot serve the volume as a file")]
    Fuse(#[from] fuse::MountError),
    /// The FUSE export did not end in order.
    #[error("the server did not end in order")]
    FuseRun(#[from] fuse::RunError),
    /// The data path refuses the volume.
    #[error("cannot serve {}", path.display())]
    Open {
        /// The volume.
        path: PathBuf,
        /// Why not.
        source: OpenError,
    },
    /// The signals that end a server cannot be watched.
    #[error("cannot watch for SIGINT and SIGTERM")]
    Signals(#[source] io::Error),
    /// Keys or registry cannot be used.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The registry of volumes failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The key provider gave no key.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The header says no.
    #[error("{}", path.display())]
    Volume {
        /// The file or device with the header.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<VolumeError>,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A cipher engine is asked for that cannot be used.
    #[error(transparent)]
    Engine(#[from] NoEngine),
    /// No random key to measure with.
    #[error("cannot make a key to measure with")]
    NoKey(#[source] BadVolumeKey),
    /// Not as many threads as are to measure.
    #[error("cannot start the threads that measure")]
    Threads(#[source] io::Error),
    /// The volume cannot be mounted or unmounted.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The daemon.
    #[error(transparent)]
    Daemon(#[from] DaemonError),
    /// No place for the state.
    #[error("cannot tell where to keep state: neither HOME nor XDG_STATE_HOME is set")]
    NoStateDir,
}

impl Error {
    /// Wraps what the operating system said, for `map_err`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    /// Says which header an error is about, for `map_err`.
    pub(crate) fn volume(path: &Path) -> impl FnOnce(VolumeError) -> Self {
        move |source| Self::Volume { path: path.to_owned(), source: Box::new(source) }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Io { .. }
            | Self::Json(_)
            | Self::Stdout(_)
            | Self::Terminal(_)
            | Self::TooSmall { .. }
            | Self::Resize { .. }
            | Self::LookUp { .. }
            | Self::Open { .. }
            | Self::Signals(_)
            | Self::Run(_)
            | Self::Fuse(_)
            | Self::FuseRun(_)
            | Self::Config(ConfigError::Read { .. })
            | Self::NoKey(_)
            | Self::Threads(_)
            | Self::Node(_)
            | Self::Registry(_)
            | Self::Provider(_) => Exit::Failed,
            Self::Bind(source) => exit_of_bind(source),
            Self::Chain(source) => source.exit(),
            Self::Daemon(source) => source.exit(),
            Self::Volume { source, .. } => exit_of(source.kind()),
            Self::NoTerminal
            | Self::EmptyPassphrase
            | Self::PassphrasesDiffer
            | Self::TypedTooLong { .. }
            | Self::PassphraseTooLong { .. }
            | Self::Missing { .. }
            | Self::SizeNeeded { .. }
            | Self::SizeDiffers { .. }
            | Self::SectorSizeDiffers { .. }
            | Self::SizeUneven { .. }
            | Self::NotABacking { .. }
            | Self::Engine(_)
            | Self::Config(ConfigError::Syntax { .. } | ConfigError::Engine { .. })
            | Self::NoStateDir => Exit::Usage,
            Self::Occupied { .. }
            | Self::AlreadyAVolume { .. }
            | Self::OutputExists { .. }
            | Self::NotConfirmed { .. }
            | Self::Aborted => Exit::Refused,
            Self::Ublk(UblkError::Differs { .. }) => Exit::Refused,
            Self::Ublk(_) => Exit::Failed,
            Self::NotAVolume { .. } => Exit::NotAVolume,
            Self::NotAdopted { .. } | Self::KeyMissing { .. } => Exit::KeyMissing,
            Self::InUse { .. } | Self::Busy { .. } | Self::Claimed { .. } => Exit::InUse,
        }
    }

    /// What to do about it, where that is not plain.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "run as a user who may, or as root".to_owned()
            }
            Self::NoTerminal => "pass --passphrase-file FILE, or --yes where it applies".to_owned(),
            Self::SizeNeeded { path } => format!("name the usable size: sear up {} --size 1G", path.display()),
            Self::SizeDiffers { .. } => "leave --size out to open the volume as it is".to_owned(),
            Self::SectorSizeDiffers { .. } => "leave --sector-size out to open the volume as it is".to_owned(),
            Self::Occupied { .. } => "pass --force to destroy what is there".to_owned(),
            Self::AlreadyAVolume { path } => {
                format!("open it with `sear up {0}`; to start over, first `sear volume erase {0}`", path.display())
            }
            Self::OutputExists { .. } => "choose another name, or move the file away".to_owned(),
            Self::NotAVolume { path } => format!("make one there: sear volume create {}", path.display()),
            Self::NotAdopted { path } => {
                format!("give it a master key with its passphrase: sear volume adopt {}", path.display())
            }
            Self::KeyMissing { .. } => {
                "pass the --state-dir of the node that made it, or open it with a passphrase: sear volume adopt"
                    .to_owned()
            }
            Self::InUse { .. } => "stop that process first".to_owned(),
            Self::Chain(source) => return source.hint(),
            Self::Fuse(_) => "`sear doctor` says whether this machine has FUSE".to_owned(),
            Self::Threads(_) => "name fewer with --threads".to_owned(),
            _ => return None,
        })
    }

    /// The chain of sources, outermost first, without those that only repeat what was said before.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut said = self.to_string();
        let mut causes = Vec::new();
        let mut next = self.source();
        while let Some(error) = next {
            let text = error.to_string();
            if !said.contains(&text) {
                causes.push(text.clone());
                said = text;
            }
            next = error.source();
        }
        causes
    }
}

fn exit_of(kind: ErrorKind) -> Exit {
    match kind {
        ErrorKind::WrongKey | ErrorKind::Tampered => Exit::Unauthentic,
        ErrorKind::NotAVolume | ErrorKind::Unsupported => Exit::NotAVolume,
        ErrorKind::Refused => Exit::Refused,
        ErrorKind::Invalid => Exit::Usage,
        ErrorKind::System => Exit::Failed,
    }
}

fn exit_of_bind(error: &BindError) -> Exit {
    match error {
        BindError::Listen(ListenError::InUse(_)) => Exit::InUse,
        BindError::Listen(ListenError::NotASocket(_)) => Exit::Refused,
        BindError::Export(_) | BindError::Tls(_) => Exit::Usage,
        _ => Exit::Failed,
    }
}

fn list(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join(", ")
}

fn ids(ids: &[KeyId]) -> String {
    ids.iter().map(KeyId::to_string).collect::<Vec<_>>().join(" or ")
}
