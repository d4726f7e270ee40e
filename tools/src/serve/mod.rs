//! The one place that joins both paths: an open volume becomes a disk, and the disk an export.

mod address;
mod fuse;
mod nbd;
mod tls;
pub(crate) mod unmounter;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use datapath::backend::file::FileBackend;
use datapath::cipher::dispatch::Engine;
use datapath::export;
use datapath::export::nbd::Uri;
use datapath::volume::{DiskOptions, Volume as ServedVolume};

use crate::error::Error;
use crate::hardening::{Act, Needs};
use crate::parse::Listen;
use crate::signals::StopSignals;
use crate::volume::Volume;
use tls::TlsFiles;

/// How a volume is served.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArgs {
    /// Where to serve it over NBD, repeatable [default: unix:STATE-DIR/run/UUID.sock]
    #[arg(long, value_name = "unix:SOCKET|tcp:HOST:PORT")]
    pub(crate) listen: Vec<Listen>,
    /// Serve it as one file, DIR/disk, in the place of NBD; a loop device takes it with direct I/O [default DIR:
    /// STATE-DIR/run/UUID.fuse]
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, conflicts_with_all = ["listen", "tls_cert"])]
    fuse: Option<Option<PathBuf>>,
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
    /// Over NBD.
    Nbd(export::nbd::Server),
    /// As a file.
    Fuse(fuse::Mounted),
}

impl ServeArgs {
    /// Makes `volume` an export called `name` that `engine` encrypts.
    ///
    /// # Errors
    /// When the segment does not fit the backing, or an address, directory, name or certificate cannot be used.
    pub(crate) fn bind(
        &self,
        volume: Volume,
        name: String,
        places: DefaultPlaces,
        engine: Engine,
    ) -> Result<Bound, Error> {
        let description = format!("sear volume {}", volume.opened.uuid);
        let volume = Arc::new(self.open(volume, engine)?);
        match &self.fuse {
            Some(dir) => {
                let dir = dir.as_ref().unwrap_or(&places.fuse_dir);
                fuse::mount(volume, &name, dir).map(Bound::Fuse)
            }
            None => nbd::bind(self, volume, name, description, places.socket).map(Bound::Nbd),
        }
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
            Self::Nbd(server) => server.uris(),
            Self::Fuse(_) => Vec::new(),
        }
    }

    /// The file.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Nbd(_) => None,
            Self::Fuse(mounted) => Some(mounted.file()),
        }
    }

    /// What it still does besides answering.
    pub(crate) fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        match self {
            Self::Nbd(server) => nbd::add_needs(server, &mut needs),
            Self::Fuse(_) => fuse::Mounted::add_needs(&mut needs),
        }
        needs
    }

    /// Lets each thread that was started act once.
    ///
    /// # Errors
    /// When one has ended.
    pub(crate) fn each_thread(&self, act: &Act) -> std::io::Result<()> {
        match self {
            Self::Nbd(server) => server.workers().each_thread(act),
            // Its threads are started later, and inherit.
            Self::Fuse(_) => Ok(()),
        }
    }

    /// Serves until a signal asks for an end, then flushes.
    ///
    /// # Errors
    /// When requests cannot be taken or do not end, or when the last flush fails.
    pub(crate) fn run_until(self, signals: StopSignals) -> Result<(), Error> {
        match self {
            Self::Nbd(server) => nbd::run_until(server, signals),
            Self::Fuse(mounted) => fuse::run_until(mounted, signals),
        }
    }
}
