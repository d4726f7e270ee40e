//! The one place that joins both paths: an open volume becomes a disk, and the disk an export.

mod address;
mod fuse;
mod nbd;
mod tls;
mod ublk;
pub(crate) mod unmounter;
mod vhost;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use datapath::backend::file::FileBackend;
use datapath::cipher::dispatch::Engine;
use datapath::export;
use datapath::export::nbd::Uri;
use datapath::volume::{DiskOptions, Volume as ServedVolume};

use crate::control::Control;
use crate::error::Error;
use crate::hardening::{Act, Needs};
use crate::parse::Listen;
use crate::signals::StopSignals;
use crate::volume::Volume;
pub(crate) use address::resolve;
use tls::TlsFiles;
pub(crate) use ublk::BlockDevice;

/// How a volume is served.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArgs {
    /// Where to serve it over NBD, repeatable [default: unix:STATE-DIR/run/UUID.sock, or nowhere with --ublk or
    /// --vhost-user]
    #[arg(long, value_name = "unix:SOCKET|tcp:HOST:PORT")]
    pub(crate) listen: Vec<Listen>,
    /// Serve it as a disk of a virtual machine, whose QEMU connects to SOCKET (vhost-user-blk)
    #[arg(long, value_name = "SOCKET")]
    vhost_user: Option<PathBuf>,
    /// Serve it as one file, DIR/disk, in the place of NBD; a loop device takes it with direct I/O [default DIR:
    /// STATE-DIR/run/UUID.fuse]
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    #[arg(conflicts_with_all = ["listen", "vhost_user", "tls_cert", "ublk"])]
    fuse: Option<Option<PathBuf>>,
    /// Make it a block device of this machine, /dev/ublkbN
    #[arg(long)]
    ublk: bool,
    /// The export's name [default: the file's name without its extension]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) access: Access,
    #[command(flatten)]
    tls: TlsFiles,
}

/// What may be done with a volume that is served.
#[derive(Args, Clone, Debug)]
pub(crate) struct Access {
    /// Refuse every change
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Pass trims down to the backing; whoever sees it learns which blocks are unused, and a trimmed block reads as
    /// noise
    #[arg(long)]
    pub(crate) allow_discards: bool,
    /// Refuse requests that are not whole sectors, in the place of serving them by read-modify-write
    #[arg(long)]
    pub(crate) strict_alignment: bool,
}

/// Where an export is found by default.
pub(crate) struct DefaultPlaces {
    /// The NBD socket.
    pub(crate) socket: PathBuf,
    /// Where the FUSE file is mounted.
    pub(crate) fuse_dir: PathBuf,
}

/// An export that can be reached already, and answers once it is told to.
pub(crate) enum Bound {
    /// Over NBD, as a block device, to a virtual machine: any of them, by the same threads.
    Sockets(export::nbd::Server, Option<Box<export::ublk::Device>>, Option<vhost::Served>),
    /// As a file.
    Fuse(fuse::Mounted),
}

impl ServeArgs {
    /// Whether the system can do what is asked for, as far as that is known before anything is made.
    ///
    /// # Errors
    /// What it lacks.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.ublk { ublk::check() } else { Ok(()) }
    }

    /// The first of these options that only a server of its own can do.
    pub(crate) fn needs_own_server(&self) -> Option<&'static str> {
        let asked = [
            (!self.listen.is_empty(), "--listen"),
            (self.vhost_user.is_some(), "--vhost-user"),
            (self.fuse.is_some(), "--fuse"),
            (self.ublk, "--ublk"),
            (self.access.allow_discards, "--allow-discards"),
            (self.access.strict_alignment, "--strict-alignment"),
            (self.tls.config().is_some(), "--tls-cert"),
        ];
        asked.into_iter().find(|(is_asked, _)| *is_asked).map(|(_, option)| option)
    }

    /// Makes `volume` an export called `name` that `engine` encrypts, and what tells of it.
    ///
    /// # Errors
    /// When the segment does not fit the backing, or an address, directory, name or certificate cannot be used, or
    /// there can be no block device.
    pub(crate) fn bind(
        &self,
        volume: Volume,
        name: String,
        places: DefaultPlaces,
        engine: Engine,
    ) -> Result<(Bound, Control), Error> {
        let (uuid, follows_device) = (volume.opened.uuid, volume.opened.follows_device);
        let path = volume.places.data.path.clone();
        let description = format!("sear volume {uuid}");
        let volume = Arc::new(self.open(volume, engine)?);
        let control = Control { uuid, name: name.clone(), path, volume: Arc::clone(&volume), follows_device };
        if let Some(dir) = &self.fuse {
            let dir = dir.as_ref().unwrap_or(&places.fuse_dir);
            return Ok((fuse::mount(volume, &name, dir).map(Bound::Fuse)?, control));
        }
        let server = nbd::bind(self, Arc::clone(&volume), name, description, places.socket)?;
        let socket = self.vhost_user.as_deref();
        let vhost =
            socket.map(|socket| vhost::serve(socket, server.workers(), Arc::clone(&volume), uuid)).transpose()?;
        let device = self.ublk.then(|| ublk::attach(server.workers(), volume, uuid)).transpose()?;
        Ok((Bound::Sockets(server, device.map(Box::new), vhost), control))
    }

    /// The volume as a disk of plaintext. The volume key is expanded into the cipher and wiped.
    fn open(&self, volume: Volume, engine: Engine) -> Result<ServedVolume, Error> {
        let Volume { places, opened, .. } = volume;
        let options = DiskOptions {
            engine: Some(engine),
            read_only: self.access.read_only,
            discards: self.access.allow_discards || opened.allow_discards,
            strict_alignment: self.access.strict_alignment,
        };
        let path = places.data.path;
        let granule = opened.segment.sector_size;
        let backend = FileBackend::new(places.data.file, granule, true).map_err(Error::io("serve", &path))?;
        ServedVolume::open(Box::new(backend), &opened.volume_key, opened.segment, options)
            .map_err(|source| Error::Open { path, source })
    }
}

impl Bound {
    /// Where NBD clients find the export.
    pub(crate) fn uris(&self) -> Vec<Uri> {
        match self {
            Self::Sockets(server, ..) => server.uris(),
            Self::Fuse(_) => Vec::new(),
        }
    }

    /// Where a virtual machine finds it.
    pub(crate) fn vhost_user(&self) -> Option<&Path> {
        match self {
            Self::Sockets(_, _, vhost) => vhost.as_ref().map(vhost::Served::socket),
            Self::Fuse(_) => None,
        }
    }

    /// The file.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Sockets(..) => None,
            Self::Fuse(mounted) => Some(mounted.file()),
        }
    }

    /// What it still does besides answering; `None` if that is more than confinement knows: to remove a block device, or
    /// to map the memory of virtual machines that come and go (docs/hardening.md).
    pub(crate) fn needs(&self) -> Option<Needs> {
        let mut needs = Needs::default();
        match self {
            Self::Sockets(server, None, None) => nbd::add_needs(server, &mut needs),
            Self::Sockets(..) => return None,
            Self::Fuse(_) => fuse::Mounted::add_needs(&mut needs),
        }
        Some(needs)
    }

    /// Lets each thread that was started act once.
    ///
    /// # Errors
    /// When one has ended.
    pub(crate) fn each_thread(&self, act: &Act) -> std::io::Result<()> {
        match self {
            Self::Sockets(server, ..) => server.workers().each_thread(act),
            // Its threads are started later, and inherit.
            Self::Fuse(_) => Ok(()),
        }
    }

    /// The block device.
    pub(crate) fn block_device(&self) -> Option<BlockDevice> {
        match self {
            Self::Sockets(_, device, _) => device.as_deref().map(ublk::describe),
            Self::Fuse(_) => None,
        }
    }

    /// Serves until a signal asks for an end, then flushes.
    ///
    /// # Errors
    /// When requests cannot be taken or do not end, the block device cannot be removed, or the last flush fails.
    pub(crate) fn run_until(self, signals: StopSignals) -> Result<(), Error> {
        match self {
            Self::Sockets(server, device, vhost) => nbd::run_until(server, device, vhost, signals),
            Self::Fuse(mounted) => fuse::run_until(mounted, signals),
        }
    }
}
