//! `sear volume restore-header PATH FILE`

use std::io::Seek;
use std::path::PathBuf;
use std::{fmt, fs, io};

use clap::Args;
use keywrap::volume;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::backing::{Access, Backing, NewFile};
use crate::cli::through::Through;
use crate::daemon::DaemonError;
use crate::error::Error;
use crate::lock::Purpose;
use crate::state::StatePath;
use crate::ui::Ui;
use crate::volume::{Places, VolumePath, uuid_in};

#[derive(Args, Debug)]
pub(crate) struct RestoreHeader {
    #[command(flatten)]
    at: VolumePath,
    /// A file that backup-header (or cryptsetup luksHeaderBackup) made
    file: PathBuf,
    /// Restore even where the header there belongs to another volume, or there is none
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Restored {
    path: PathBuf,
    uuid: Uuid,
}

impl fmt::Display for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "restored the header of volume {} on {}", self.uuid, self.path.display())
    }
}

impl RestoreHeader {
    /// Writes the saved header over the present one.
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let state = state.open()?;
        let backup = Backing::open(&self.file, Access::Read)?;
        let uuid = uuid_in(&backup.file, &backup.path)?;
        let places = Places::at(&self.at, Access::Write)?;
        let _serving = state.lock(uuid, Purpose::Serve)?;
        let _changing = state.lock(uuid, Purpose::Change)?;
        places.claim(Access::Write)?;
        volume::restore_header(&backup.file, places.header(), places.data.len, self.force)
            .map_err(Error::volume(places.header_path()))?;
        ui.confirm(&Restored { path: places.data.path, uuid })
    }

    /// Has the daemon do it, from a copy where it may read.
    pub(super) fn run_through(self, daemon: &Through, ui: Ui) -> Result<(), Error> {
        let backup = Backing::open(&self.file, Access::Read)?;
        let uuid = uuid_in(&backup.file, &backup.path)?;
        let volume = daemon.need_volume_at(&self.at)?;
        let path = PathBuf::from(&volume.path);
        if volume.uuid != uuid {
            return Err(DaemonError::AnotherHeader { path, volume: volume.uuid, backup: uuid }.into());
        }
        let copy = daemon.run_dir().join(format!("{uuid}.restore"));
        // One that was killed may have left it.
        let _absent = fs::remove_file(&copy);
        let (guard, out) = NewFile::create(&copy, 0)?;
        // Measuring it has left the file at its end.
        let copied = (&backup.file).rewind().and_then(|()| io::copy(&mut &backup.file, &mut &out.file));
        copied.map_err(Error::io("copy the backup to", &copy))?;
        daemon.ask("RestoreVolumeHeader", &json!({"volumeID": volume.id, "path": copy, "force": self.force}))?;
        // Not kept: it goes with the guard.
        drop(guard);
        ui.confirm(&Restored { path, uuid })
    }
}
