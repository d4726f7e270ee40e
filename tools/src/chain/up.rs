//! From a volume to a mounted filesystem. What fails half-way is taken down again.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Child;

use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use super::device::{Choice, Device, Via};
use super::down;
use super::error::ChainError;
use super::filesystem::{self, Content, Kind};
use super::links::Links;
use super::mounts;
use super::server::{Background, Server};
use crate::error::Error;
use crate::lock::{Purpose, VolumeLock};

/// How a volume is to be mounted.
#[derive(Args, Clone, Debug)]
pub(crate) struct Wish {
    /// Make this filesystem if the volume holds none
    #[arg(long, value_name = "TYPE")]
    pub(crate) mkfs: Option<Kind>,
    /// Options for mount(8), as in noatime,nodev
    #[arg(long, short, value_name = "OPTIONS")]
    options: Option<String>,
    /// The way from the server to a block device
    #[arg(long, value_name = "WAY", default_value = "auto")]
    via: Choice,
}

/// What stands.
#[derive(Serialize)]
pub(crate) struct Mounted {
    event: &'static str,
    /// Where.
    pub(crate) dir: PathBuf,
    device: PathBuf,
    via: Via,
    filesystem: String,
    /// Whether the filesystem was made just now.
    formatted: bool,
    /// Whether the volume was made just now.
    created: bool,
    read_only: bool,
    uuid: Uuid,
    path: PathBuf,
    /// The server's process id.
    server: u32,
    /// The server, for whoever waits for its end.
    #[serde(skip)]
    pub(super) child: Child,
    /// Where the volume's places are.
    #[serde(skip)]
    pub(super) links: Links,
}

impl fmt::Display for Mounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let made = match (self.created, self.formatted) {
            (true, _) => "made and mounted",
            (false, true) => "formatted and mounted",
            (false, false) => "mounted",
        };
        let access = if self.read_only { ", read-only" } else { "" };
        let (path, dir, device) = (self.path.display(), self.dir.display(), self.device.display());
        writeln!(f, "{made} {path} at {dir} ({}{access}, {device})", self.filesystem)?;
        writeln!(f, "served by process {}, volume {}", self.server, self.uuid)
    }
}

/// Starts a server with `server_arguments` (a way is added), attaches and mounts.
///
/// # Errors
/// Whatever stops it; what was set up so far is taken down.
pub(crate) fn mount(
    mut server_arguments: Vec<OsString>,
    run_dir: &Path,
    dir: &Path,
    wish: &Wish,
    background: Background,
) -> Result<Mounted, Error> {
    if !rustix::process::geteuid().is_root() {
        return Err(ChainError::NotRoot.into());
    }
    let via = wish.via.resolve()?;
    let dir = place(dir)?;
    match via {
        Via::Fuse => server_arguments.push("--fuse".into()),
        Via::Ublk => server_arguments.push("--ublk".into()),
        Via::Nbd => (),
    }
    let server = Server::start(server_arguments, background)?;
    let links = Links::new(run_dir, server.ready.uuid);
    let _lock = VolumeLock::wait(run_dir, links.uuid, Purpose::Mount)?;
    match attach_and_mount(&server, &links, &dir, wish, via) {
        Ok((device, filesystem, formatted)) => {
            let (read_only, created) = (server.ready.read_only, server.ready.created);
            let (uuid, path, child) = (server.ready.uuid, server.ready.path, server.child);
            let (event, device, server) = ("mounted", device.path, child.id());
            let mounted = Mounted {
                event,
                dir,
                device,
                via,
                filesystem,
                formatted,
                created,
                read_only,
                uuid,
                path,
                server,
                child,
                links,
            };
            Ok(mounted)
        }
        Err(error) => {
            if let Err(left) = down::take_down(&links) {
                tracing::error!(error = %left, "not everything could be taken down again");
            }
            Err(error.into())
        }
    }
}

fn attach_and_mount(
    server: &Server,
    links: &Links,
    dir: &Path,
    wish: &Wish,
    via: Via,
) -> Result<(Device, String, bool), ChainError> {
    let ready = &server.ready;
    links.set_dir(dir)?;
    let device = via.attach(ready, links)?;
    let (kind, formatted) = prepare(&device, &ready.path, wish.mkfs, ready.read_only)?;
    filesystem::mount(&kind, &device, dir, wish.options.as_deref(), ready.read_only)?;
    device.release_with_last_unmount(via)?;
    Ok((device, kind, formatted))
}

/// The filesystem on the device, checked, or made when there was none; and whether it was made.
fn prepare(device: &Device, volume: &Path, mkfs: Option<Kind>, read_only: bool) -> Result<(String, bool), ChainError> {
    let volume = volume.to_owned();
    match (filesystem::content(device)?, mkfs) {
        (Content::Filesystem(found), Some(kind)) if found != kind.name() => {
            Err(ChainError::OtherContent { volume, found })
        }
        (Content::Filesystem(kind), _) => {
            if !read_only {
                filesystem::check(&kind, device, &volume)?;
            }
            Ok((kind, false))
        }
        (Content::Nothing, Some(kind)) if !read_only => {
            kind.make(device)?;
            Ok((kind.name().to_owned(), true))
        }
        (Content::Nothing, _) => Err(ChainError::NoFilesystem { volume }),
        (Content::Other(found), _) => Err(ChainError::OtherContent { volume, found }),
    }
}

/// The directory, made if it is missing, with nothing mounted at it.
fn place(dir: &Path) -> Result<PathBuf, ChainError> {
    let dir = mounts::absolute(dir)?;
    if let Some(mount) = mounts::at(&dir)? {
        return Err(ChainError::Occupied { dir, source_name: mount.source });
    }
    match std::fs::create_dir(&dir) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(ChainError::io("make", dir)(error)),
        _ if !dir.is_dir() => Err(ChainError::NotADirectory { dir }),
        _ => Ok(dir),
    }
}
