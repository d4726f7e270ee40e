//! `sear umount TARGET`

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use uuid::Uuid;

use crate::backing::{Access, Backing};
use crate::chain::{self, ChainError, Links};
use crate::error::Error;
use crate::lock::{Purpose, VolumeLock};
use crate::probe;
use crate::state::StatePath;
use crate::ui::Ui;
use crate::volume::uuid_in;

#[derive(Args, Debug)]
pub(crate) struct Umount {
    /// Where the volume is mounted, or the volume (the file or device with its header)
    target: PathBuf,
}

#[derive(Serialize)]
struct Unmounted {
    event: &'static str,
    uuid: Uuid,
    dirs: Vec<PathBuf>,
    server_had_died: bool,
}

impl fmt::Display for Unmounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for dir in &self.dirs {
            writeln!(f, "unmounted {}", dir.display())?;
        }
        if self.server_had_died {
            writeln!(f, "took down what the dead server of volume {} had left; what was not synced is lost", self.uuid)
        } else {
            writeln!(f, "volume {} is flushed and closed", self.uuid)
        }
    }
}

impl Umount {
    /// Takes the whole chain down, and waits until the server has ended.
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let run_dir = state.run_dir();
        let found = match chain::find(&run_dir, &self.target)? {
            Some(links) => links,
            None => self.by_volume(&run_dir, state)?,
        };
        let _lock = VolumeLock::wait(&run_dir, found.uuid, Purpose::Mount)?;
        let removed = chain::take_down(&found)?;
        let (dirs, server_had_died) = (removed.dirs, removed.server_had_died);
        ui.confirm(&Unmounted { event: "unmounted", uuid: found.uuid, dirs, server_had_died })
    }

    fn by_volume(&self, run_dir: &Path, state: &StatePath) -> Result<Links, Error> {
        let target = self.target.clone();
        let none = || ChainError::NotMounted { target: target.clone(), state: state.path().to_owned() };
        let Ok(backing) = Backing::open(&self.target, Access::Read) else { return Err(none().into()) };
        if !probe::has_luks2(&backing.file).map_err(Error::io("read", &self.target))? {
            return Err(none().into());
        }
        let links = Links::new(run_dir, uuid_in(&backing.file, &self.target)?);
        if links.is_used() { Ok(links) } else { Err(none().into()) }
    }
}
