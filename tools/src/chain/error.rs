//! Why a volume is not mounted, or still is.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use super::holders::Holder;
use crate::exit::Exit;

/// Everything that stops the chain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChainError {
    /// Loop devices and mounts are root's.
    #[error("only root can mount")]
    NotRoot,
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
    /// A program that is not installed.
    #[error("there is no program `{program}`")]
    NoProgram {
        /// Its name.
        program: &'static str,
        /// Debian's package.
        package: &'static str,
    },
    /// A program that failed.
    #[error("`{program}` failed: {said}")]
    Program {
        /// Its name.
        program: &'static str,
        /// What it printed, or how it ended.
        said: String,
    },
    /// Something else is mounted where the volume is wanted.
    #[error("{source_name} is mounted at {} already", dir.display())]
    Occupied {
        /// Where.
        dir: PathBuf,
        /// What mount tables call it.
        source_name: String,
    },
    /// Not a place to mount at.
    #[error("{} is not a directory", dir.display())]
    NotADirectory {
        /// The path.
        dir: PathBuf,
    },
    /// The volume is empty and nobody has said what to put there.
    #[error("{} holds no filesystem", volume.display())]
    NoFilesystem {
        /// The volume.
        volume: PathBuf,
    },
    /// The volume holds something else than a filesystem that was asked for.
    #[error("{} holds {found}, which is not what --mkfs asks for and is not destroyed", volume.display())]
    OtherContent {
        /// The volume.
        volume: PathBuf,
        /// What it holds.
        found: String,
    },
    /// The check found what it may not repair by itself.
    #[error("the filesystem in {} needs a repair by hand: {said}", volume.display())]
    Unclean {
        /// The volume.
        volume: PathBuf,
        /// What the check printed.
        said: String,
    },
    /// The way that was asked for does not exist here.
    #[error("cannot mount by way of {via}: {why}")]
    NoWay {
        /// As on the command line.
        via: &'static str,
        /// What is missing.
        why: &'static str,
    },
    /// The server of a device that keeps what was written has died.
    #[error("{} waits for its server, which has died", device.display())]
    WaitsForServer {
        /// The device.
        device: PathBuf,
    },
    /// Programs use the filesystem.
    #[error("{} is busy{}", dir.display(), list(holders))]
    Busy {
        /// Where it is mounted.
        dir: PathBuf,
        /// Who uses it, as far as /proc tells.
        holders: Vec<Holder>,
    },
    /// The device is used by something that is not a mount.
    #[error("{} is still in use", device.display())]
    DeviceBusy {
        /// The block device or FUSE directory.
        device: PathBuf,
    },
    /// There is nothing to unmount.
    #[error("{} is not a volume that is mounted from {}", target.display(), state.display())]
    NotMounted {
        /// What was named.
        target: PathBuf,
        /// The state directory.
        state: PathBuf,
    },
    /// The server has said why it does not serve.
    #[error("{message}")]
    Server {
        /// Its exit code.
        exit_code: u8,
        /// Its message, with causes.
        message: String,
        /// What it advises.
        hint: Option<String>,
    },
    /// The server ended without its last flush.
    #[error("the server (process {pid}) did not end in order: what was not synced may be lost")]
    Died {
        /// Its process id.
        pid: u32,
        /// What it wrote.
        log: PathBuf,
    },
    /// The server goes on.
    #[error("the server (process {pid}) has not ended within {seconds} s")]
    Stuck {
        /// Its process id.
        pid: u32,
        /// How long it was waited for.
        seconds: u64,
    },
}

impl ChainError {
    /// Wraps what the operating system said, for `map_err`.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NotADirectory { .. } | Self::NoFilesystem { .. } | Self::NotMounted { .. } => Exit::Usage,
            Self::OtherContent { .. } => Exit::Refused,
            Self::Occupied { .. } | Self::Busy { .. } | Self::DeviceBusy { .. } => Exit::InUse,
            Self::Server { exit_code, .. } => Exit::of_code(*exit_code),
            _ => Exit::Failed,
        }
    }

    /// What to do about it, where that is not plain.
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotRoot => "run as root, or serve the volume with `sear up PATH` and use an NBD client".to_owned(),
            Self::NoProgram { package, .. } => format!("apt install {package} (Debian)"),
            Self::NoFilesystem { .. } => "make one: add --mkfs ext4 or --mkfs xfs".to_owned(),
            Self::OtherContent { .. } => "leave --mkfs out to mount what is there".to_owned(),
            Self::Unclean { volume, .. } => {
                format!(
                    "serve it with `sear up {} --fuse`, attach it with losetup and check it there",
                    volume.display()
                )
            }
            Self::WaitsForServer { .. } => {
                "nothing is lost: serve the volume again with `sear up PATH --ublk`, then unmount".to_owned()
            }
            Self::NoWay { .. } => "leave --via out".to_owned(),
            Self::Busy { .. } => "end those programs, or let them leave the directory, and try again".to_owned(),
            Self::NotMounted { .. } => "name the directory or the volume; `findmnt` shows what is mounted".to_owned(),
            Self::Died { log, .. } => format!("see {}", log.display()),
            Self::Server { hint, .. } => return hint.clone(),
            _ => return None,
        })
    }
}

fn list(holders: &[Holder]) -> String {
    let mut text = String::new();
    for (at, holder) in holders.iter().enumerate() {
        let _in_memory = write!(text, "{}{holder}", if at == 0 { ": used by " } else { ", " });
    }
    text
}
