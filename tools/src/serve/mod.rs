//! The one place that joins both paths: an open volume becomes a disk, and the disk an NBD export, a block device, or
//! both.

mod address;
mod tls;
mod ublk;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use clap::Args;
use datapath::backend::file::FileBackend;
use datapath::cipher::dispatch::Engine;
use datapath::export::nbd::{self, Config, Export, Limits, Server, Uri};
use datapath::export::ublk::Device;
use datapath::volume::{DiskOptions, Volume as ServedVolume};

use crate::error::Error;
use crate::parse::Listen;
use crate::signals::StopSignals;
use crate::volume::Volume;
use tls::TlsFiles;
pub(crate) use ublk::BlockDevice;

/// How a volume is served.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServeArgs {
    /// Where to serve it over NBD, repeatable [default: unix:STATE-DIR/run/UUID.sock, or nowhere with --ublk]
    #[arg(long, value_name = "unix:SOCKET|tcp:HOST:PORT")]
    listen: Vec<Listen>,
    /// Make it a block device of this machine, /dev/ublkbN
    #[arg(long)]
    ublk: bool,
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

/// A server that listens already, and serves once it is told to; its block device is served at once.
pub(crate) struct Bound {
    server: Server,
    device: Option<Device>,
}

impl ServeArgs {
    /// Whether the system can do what is asked for, as far as that is known before anything is made.
    ///
    /// # Errors
    /// What it lacks.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.ublk { ublk::check() } else { Ok(()) }
    }

    /// Makes `volume` an export called `name` that `engine` encrypts, and listens: at `default_socket` unless told
    /// otherwise. Makes it a block device, if asked for.
    ///
    /// # Errors
    /// When the segment does not fit the backing, an address, name or certificate cannot be used, or there can be no
    /// block device.
    pub(crate) fn bind(
        &self,
        volume: Volume,
        name: String,
        default_socket: PathBuf,
        engine: Engine,
    ) -> Result<Bound, Error> {
        let listen = match self.listen.as_slice() {
            [] if self.ublk => Vec::new(),
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
        let config =
            Config { exports: vec![export], listen, tls, limits: Limits::default(), workers: None, ring: None };
        let server = Server::bind(config)?;
        let device = self.ublk.then(|| ublk::attach(server.workers(), volume, uuid)).transpose()?;
        Ok(Bound { server, device })
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

    /// The block device, if there is one.
    pub(crate) fn block_device(&self) -> Option<BlockDevice> {
        self.device.as_ref().map(ublk::describe)
    }

    /// Serves until a signal asks for an end; then removes the block device, once nobody uses it, stops accepting,
    /// drains and flushes.
    ///
    /// # Errors
    /// When accepting fails, when operations do not end, when the device cannot be removed, or when the last flush
    /// fails.
    pub(crate) fn run_until(self, mut signals: StopSignals) -> Result<(), Error> {
        let Self { server, device } = self;
        let (handle, (detached, outcome)) = (server.handle(), mpsc::channel());
        let stop = move || {
            signals.wait();
            tracing::info!("asked to stop");
            // If the server has ended by itself, nobody wants to know.
            let _ = detached.send(device.map_or(Ok(()), ublk::detach));
            handle.shutdown();
        };
        thread::Builder::new().name("signals".to_owned()).spawn(stop).map_err(Error::Signals)?;
        server.run()?;
        outcome.try_recv().unwrap_or(Ok(()))
    }
}
