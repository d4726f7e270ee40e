//! `sear volume restore-header PATH FILE`

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use keywrap::volume;
use serde::Serialize;
use uuid::Uuid;

use crate::backing::{Access, Backing};
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
}
