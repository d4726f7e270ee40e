//! `sear up PATH`

mod through;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use ekm_bridge::{UnixSeconds, VolumeRecord};

use super::mount::{self, Subject};
use super::ready::{Ready, Served};
use super::through::Through;
use crate::backing::Access;
use crate::chain::{self, Background, Links, Standby, Wish};
use crate::config::{Config, Sandbox};
use crate::control;
use crate::error::Error;
use crate::hardening;
use crate::lock::{Purpose, VolumeLock};
use crate::serve::{DefaultPlaces, ServeArgs};
use crate::signals::StopSignals;
use crate::state::{State, StatePath};
use crate::ui::Ui;
use crate::volume::{Places, Request, Situation, Volume, VolumePath, create, unlock, uuid_of};

#[derive(Args, Debug)]
pub(crate) struct Up {
    #[command(flatten)]
    at: VolumePath,
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    serve: ServeArgs,
    /// Mount the filesystem in the volume at DIR, as root, until the end; DIR is made if it is missing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["listen", "vhost_user", "fuse", "tls_cert", "ublk"])]
    mount: Option<PathBuf>,
    #[command(flatten, next_help_heading = "With --mount")]
    wish: Wish,
    /// This process is the server of a chain: it leaves the terminal, and writes here once it is ready
    #[arg(long, hide = true)]
    background: Option<Background>,
}

impl Up {
    /// Does what the arguments say.
    pub(super) fn run(self, state: &StatePath, config: &Config, forward: Vec<OsString>, ui: Ui) -> Result<(), Error> {
        if let Some(daemon) = Through::of(state) {
            return self.run_through(&daemon, ui);
        }
        match &self.mount {
            Some(dir) => self.mount_and_stay(dir, state, forward, ui),
            None => self.serve(state, config, ui),
        }
    }

    /// Lets a process of its own serve the volume, mounts it, and stays until the end.
    fn mount_and_stay(&self, dir: &Path, state: &StatePath, forward: Vec<OsString>, ui: Ui) -> Result<(), Error> {
        let signals = StopSignals::watch().map_err(Error::Signals)?;
        let Self { at, request, serve, wish, .. } = self;
        let subject = Subject { at, request, access: &serve.access, name: serve.name.as_deref() };
        mount::prepare(&subject, state, wish)?;
        let arguments = subject.server_arguments(forward)?;
        let mounted = chain::mount(arguments, &state.run_dir(), dir, wish, Background::Inherit)?;
        ui.answer(&mounted)?;
        chain::supervise(mounted, signals)
    }

    /// Makes or opens the volume, and serves it until a signal ends it.
    fn serve(self, state: &StatePath, config: &Config, ui: Ui) -> Result<(), Error> {
        // Before anything is made: what asks for a wrong engine, or for what the system lacks, changes nothing.
        let engine = config.engine()?.engine;
        self.serve.check()?;
        let sandbox = config.sandbox();
        if let Some(background) = self.background {
            background.detach();
        }
        hardening::lock_memory();
        hardening::become_io_flusher();
        // Before anything is bound: a signal from now on ends the server in order.
        let signals = StopSignals::watch().map_err(Error::Signals)?;
        let (held, links) = self.open(&state.open()?)?;
        let Held { volume, created, mut lock } = held;
        // What an earlier server has left behind is dead: its file answers nobody.
        chain::sweep(&links)?;
        lock.sign().map_err(Error::io("write to the lock in", &state.run_dir()))?;
        let served = self.describe(&volume, created);
        let places = DefaultPlaces { socket: links.socket(), fuse_dir: links.fuse_dir() };
        let (server, control) = self.serve.bind(volume, served.name.clone(), places, engine)?;
        let socket = control::socket(&state.run_dir(), served.uuid);
        let control = control.bind(&socket).map_err(Error::io("listen at", &socket))?;
        let standby = self.background.map(|background| background.open(&links.log())).transpose()?;
        match (sandbox, server.needs()) {
            (Sandbox::On, Some(mut needs)) => {
                control.add_needs(&mut needs);
                hardening::confine(&needs, |act| server.each_thread(act));
            }
            (Sandbox::On, None) => tracing::warn!("not confined: a block device or a virtual machine is served"),
            (Sandbox::Off, _) => tracing::warn!("the server is not confined: the configuration says so"),
        }
        // From here on every thread inherits what this one has given up.
        let _control = control.start().map_err(Error::io("listen at", &socket))?;
        ui.answer(&Ready::new(served, &server))?;
        standby.map_or(Ok(()), Standby::hand_over)?;
        server.run_until(signals)?;
        lock.end_in_order().map_err(Error::io("write to the lock in", &state.run_dir()))
    }

    /// The state is closed again when this returns: a server must not keep other commands from it.
    fn open(&self, state: &State) -> Result<(Held, Links), Error> {
        let header = self.at.header.as_deref().unwrap_or(&self.at.path);
        let (volume, lock, created) = match Situation::at(header)? {
            Situation::Luks2 => {
                let (volume, lock) = self.open_existing(state)?;
                (volume, lock, false)
            }
            Situation::Missing if self.serve.access.read_only => {
                return Err(Error::Missing { path: header.to_owned() });
            }
            _ if self.serve.access.read_only => return Err(Error::NotAVolume { path: header.to_owned() }),
            _ => {
                let volume = create(state, &self.at, &self.request)?;
                let lock = state.lock(volume.opened.uuid, Purpose::Serve)?;
                (volume, lock, true)
            }
        };
        let opened = UnixSeconds::now();
        state.record(&VolumeRecord { last_opened: Some(opened), export: Some(self.name()), ..volume.record() })?;
        let links = Links::new(&state.run_dir()?, volume.opened.uuid);
        Ok((Held { volume, created, lock }, links))
    }

    fn open_existing(&self, state: &State) -> Result<(Volume, VolumeLock), Error> {
        let access = if self.serve.access.read_only { Access::Read } else { Access::Write };
        let places = Places::open(&self.at, access)?;
        let lock = state.lock(uuid_of(&places)?, Purpose::Serve)?;
        places.claim(access)?;
        let volume = unlock(state, places)?;
        self.request.check_matches(&volume)?;
        Ok((volume, lock))
    }

    /// The export's name: as given, or the file's name without its extension.
    fn name(&self) -> String {
        let stem = || self.at.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        self.serve.name.clone().unwrap_or_else(stem)
    }

    fn describe(&self, volume: &Volume, created: bool) -> Served {
        let segment = &volume.opened.segment;
        Served {
            name: self.name(),
            uuid: volume.opened.uuid,
            path: volume.places.data.path.clone(),
            size: segment.len.0,
            sector_size: segment.sector_size.bytes(),
            read_only: self.serve.access.read_only,
            created,
        }
    }
}

/// An open volume that no other process serves.
struct Held {
    volume: Volume,
    created: bool,
    lock: VolumeLock,
}
