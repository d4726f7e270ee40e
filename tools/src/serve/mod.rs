//! The one place that joins both paths: an open volume becomes a disk, and the disk an export over NBD, as a
//! vhost-user-blk device, or both.

mod address;
mod tls;
mod vhost;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use clap::Args;
use datapath::backend::file::FileBackend;
use datapath::cipher::dispatch::Engine;
use datapath::export::nbd::{self, Config, Export, Limits, Server, Uri};
use datapath::volume::{DiskOptions, Volume as ServedVolume};

use crate::error::Error;
use crate::parse::Listen;
use crate::signals::StopSignals;
use crate::volume::Volume;
use tls::TlsFiles;

/// How a volume is served.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArgs {
    /// Where to serve it, repeatable [default: unix:STATE-DIR/run/UUID.sock, unless --vhost-user is given]
    #[arg(long, value_name = "unix:SOCKET|tcp:HOST:PORT")]
    listen: Vec<Listen>,
    /// Serve it as a disk of a virtual machine, whose QEMU connects to SOCKET (vhost-user-blk)
    #[arg(long, value_name = "SOCKET")]
    vhost_user: Option<PathBuf>,
    /// The export's name [default: the file's name without its extension]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Refuse every change
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Pass trims down to the backing; whoever sees it learns which blocks are unused, and a trimmed block reads as
    /// noise
    #[arg(long)]
    allow_discards: bool,
    /// Refuse requests that are not whole sectors, in the place of serving them by read-modify-write
    #[arg(long)]
    strict_alignment: bool,
    #[command(flatten)]
    tls: TlsFiles,
}

/// A server that listens already, and serves once it is told to.
pub(crate) struct Bound {
    server: Server,
    vhost: Option<vhost::Served>,
}

impl ServeArgs {
    /// Makes `volume` an export called `name` that `engine` encrypts, and listens: at `default_socket` unless told
    /// otherwise.
    ///
    /// # Errors
    /// When the segment does not fit the backing, or an address, name or certificate cannot be used.
    pub(crate) fn bind(
        &self,
        volume: Volume,
        name: String,
        default_socket: PathBuf,
        engine: Engine,
    ) -> Result<Bound, Error> {
        let listen = match self.listen.as_slice() {
            [] if self.vhost_user.is_some() => vec![],
            [] => vec![address::resolve(&Listen::Unix(default_socket))?],
            typed => typed.iter().map(address::resolve).collect::<Result<_, _>>()?,
        };
        let tls = self.tls.config();
        if tls.is_none() {
            listen.iter().for_each(warn_of_plaintext);
        }
        let uuid = volume.opened.uuid;
        let description = format!("sear volume {uuid}");
        let volume = Arc::new(self.open(volume, engine)?);
        let export = Export { name, description, volume: Arc::clone(&volume) };
        let config = Config { exports: vec![export], listen, tls, limits: Limits::default(), workers: None, ring: None };
        let server = Server::bind(config)?;
        let socket = self.vhost_user.as_deref();
        let vhost = socket.map(|socket| vhost::serve(socket, server.workers(), volume, uuid)).transpose()?;
        Ok(Bound { server, vhost })
    }

    /// The volume as a disk of plaintext. The volume key is expanded into the cipher and wiped.
    fn open(&self, volume: Volume, engine: Engine) -> Result<ServedVolume, Error> {
        let Volume { places, opened, .. } = volume;
        let options = DiskOptions {
            engine: Some(engine),
            read_only: self.read_only,
            discards: self.allow_discards || opened.allow_discards,
            strict_alignment: self.strict_alignment,
        };
        let path = places.data.path;
        let granule = opened.segment.sector_size;
        let backend = FileBackend::new(places.data.file, granule, true).map_err(Error::io("serve", &path))?;
        ServedVolume::open(Box::new(backend), &opened.volume_key, opened.segment, options)
            .map_err(|source| Error::Open { path, source })
    }
}

fn warn_of_plaintext(listen: &nbd::Listen) {
    if let nbd::Listen::Tcp(at) = listen
        && !at.ip().is_loopback()
    {
        tracing::warn!(%at, "anybody who reaches this address can read and write the volume; use --tls-cert and --tls-client-ca");
    }
}

impl Bound {
    /// Where clients find the export.
    pub(crate) fn uris(&self) -> Vec<Uri> {
        self.server.uris()
    }

    /// Where a virtual machine finds it.
    pub(crate) fn vhost_user(&self) -> Option<&Path> {
        self.vhost.as_ref().map(vhost::Served::socket)
    }

    /// Serves until a signal asks for an end; then stops accepting, drains and flushes.
    ///
    /// # Errors
    /// When accepting fails, when operations do not end, or when the last flush fails.
    pub(crate) fn run_until(self, mut signals: StopSignals) -> Result<(), Error> {
        let Self { server, vhost } = self;
        let handle = server.handle();
        let stop = move || {
            signals.wait();
            tracing::info!("asked to stop");
            handle.shutdown();
        };
        thread::Builder::new().name("signals".to_owned()).spawn(stop).map_err(Error::Signals)?;
        let outcome = server.run();
        if let Some(vhost) = vhost {
            vhost.end(&outcome);
        }
        Ok(outcome?)
    }
}
