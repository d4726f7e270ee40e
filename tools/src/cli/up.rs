//! `sear up PATH`

use std::path::PathBuf;

use clap::Args;
use ekm_bridge::{UnixSeconds, VolumeRecord};

use super::ready::{Ready, Served};
use crate::backing::Access;
use crate::config::Config;
use crate::error::Error;
use crate::hardening;
use crate::lock::{Purpose, VolumeLock};
use crate::serve::ServeArgs;
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
}

impl Up {
    /// Makes or opens the volume, and serves it until a signal ends it.
    pub(super) fn run(self, state: &StatePath, config: &Config, ui: Ui) -> Result<(), Error> {
        // Before anything is made: what asks for a wrong engine changes nothing.
        let engine = config.engine()?.engine;
        hardening::lock_memory();
        hardening::become_io_flusher();
        // Before anything is bound: a signal from now on ends the server in order.
        let signals = StopSignals::watch().map_err(Error::Signals)?;
        let (held, socket) = self.open(&state.open()?)?;
        let Held { volume, created, lock } = held;
        let served = self.describe(&volume, created);
        let server = self.serve.bind(volume, served.name.clone(), socket, engine)?;
        ui.answer(&Ready::new(served, &server.uris(), server.vhost_user()))?;
        let outcome = server.run_until(signals);
        drop(lock);
        outcome
    }

    /// The state is closed again when this returns: a server must not keep other commands from it.
    fn open(&self, state: &State) -> Result<(Held, PathBuf), Error> {
        let header = self.at.header.as_deref().unwrap_or(&self.at.path);
        let (volume, lock, created) = match Situation::at(header)? {
            Situation::Luks2 => {
                let (volume, lock) = self.open_existing(state)?;
                (volume, lock, false)
            }
            Situation::Missing if self.serve.read_only => return Err(Error::Missing { path: header.to_owned() }),
            _ if self.serve.read_only => return Err(Error::NotAVolume { path: header.to_owned() }),
            _ => {
                let volume = create(state, &self.at, &self.request)?;
                let lock = state.lock(volume.opened.uuid, Purpose::Serve)?;
                (volume, lock, true)
            }
        };
        let opened = UnixSeconds::now();
        state.record(&VolumeRecord { last_opened: Some(opened), export: Some(self.name()), ..volume.record() })?;
        let socket = state.run_dir()?.join(format!("{}.sock", volume.opened.uuid));
        Ok((Held { volume, created, lock }, socket))
    }

    fn open_existing(&self, state: &State) -> Result<(Volume, VolumeLock), Error> {
        let access = if self.serve.read_only { Access::Read } else { Access::Write };
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
            read_only: self.serve.read_only,
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
