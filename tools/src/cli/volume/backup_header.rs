//! `sear volume backup-header PATH FILE`

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use keywrap::volume;
use serde::Serialize;
use uuid::Uuid;

use crate::backing::{Access, NewFile};
use crate::error::Error;
use crate::ui::Ui;
use crate::volume::{Places, VolumePath, uuid_of};

#[derive(Args, Debug)]
pub(crate) struct BackupHeader {
    #[command(flatten)]
    at: VolumePath,
    /// The new file, made with mode 0600
    file: PathBuf,
}

#[derive(Serialize)]
struct Saved {
    path: PathBuf,
    uuid: Uuid,
    file: PathBuf,
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "saved the header of {} ({}) to {}", self.path.display(), self.uuid, self.file.display())?;
        writeln!(
            f,
            "keep it as safe as the volume: it opens with every key and passphrase of today, also after changes"
        )
    }
}

impl BackupHeader {
    /// Copies header and keyslots into a new file.
    pub(super) fn run(self, ui: Ui) -> Result<(), Error> {
        let places = Places::open(&self.at, Access::Read)?;
        let uuid = uuid_of(&places)?;
        let (guard, file) = NewFile::create(&self.file, 0)?;
        volume::backup_header(places.header(), &mut &file.file).map_err(Error::volume(places.header_path()))?;
        guard.keep(&file.file)?;
        ui.confirm(&Saved { path: places.data.path, uuid, file: file.path })
    }
}
