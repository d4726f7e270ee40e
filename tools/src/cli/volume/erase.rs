//! `sear volume erase PATH`

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use keywrap::geometry::ByteLen;
use keywrap::volume::{self, ErasureReport};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::backing::Access;
use crate::cli::through::Through;
use crate::error::Error;
use crate::lock::Purpose;
use crate::prompt;
use crate::state::StatePath;
use crate::ui::Ui;
use crate::volume::{Places, VolumePath, uuid_of};

#[derive(Args, Debug)]
pub(crate) struct Erase {
    #[command(flatten)]
    at: VolumePath,
    /// Do not ask for the UUID
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct Erased {
    path: PathBuf,
    #[serde(flatten)]
    report: ErasureReport,
}

impl fmt::Display for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ErasureReport { uuid, keyslots, ranges, read_from_device, no_header_found } = &self.report;
        let source = if *read_from_device { "the device" } else { "the page cache (no direct I/O here)" };
        writeln!(f, "erased {}: volume {uuid}, {keyslots} keyslots", self.path.display())?;
        for range in ranges {
            let (what, offset, len) = (range.what, range.offset, ByteLen(range.len));
            writeln!(f, "overwritten and read back from {source}: {what}, {len} from byte {offset}")?;
        }
        if !no_header_found {
            writeln!(f, "an older LUKS header is still on the medium: sear volume inspect shows it")?;
        }
        writeln!(f, "a header backup, if there is one, still opens it: destroy that too")
    }
}

/// The daemon tells of no ranges.
#[derive(Serialize)]
struct ErasedByDaemon {
    path: PathBuf,
    uuid: Uuid,
}

impl fmt::Display for ErasedByDaemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "erased {}: the daemon has destroyed every keyslot of volume {}", self.path.display(), self.uuid)?;
        writeln!(f, "a header backup that it does not know, if there is one, still opens it: destroy that too")
    }
}

impl Erase {
    /// Asks for the UUID, overwrites everything that leads to the data key, and forgets the volume.
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let state = state.open()?;
        let places = Places::open(&self.at, Access::Write)?;
        let uuid = uuid_of(&places)?;
        let _serving = state.lock(uuid, Purpose::Serve)?;
        let _changing = state.lock(uuid, Purpose::Change)?;
        places.claim(Access::Write)?;
        if !self.yes {
            self.confirm(uuid)?;
        }
        let progress = ui.spinner("overwriting keyslots and headers");
        let report = volume::erase(places.header()).map_err(Error::volume(places.header_path()))?;
        progress.finish_and_clear();
        state.node().volumes().forget(uuid)?;
        ui.confirm(&Erased { path: places.data.path, report })
    }

    /// Has the daemon do it: nobody is served any more, then the keyslots go.
    pub(super) fn run_through(self, daemon: &Through, ui: Ui) -> Result<(), Error> {
        let volume = daemon.need_volume_at(&self.at)?;
        if !self.yes {
            self.confirm(volume.uuid)?;
        }
        let id = json!({"volumeID": volume.id});
        let progress = ui.spinner("overwriting keyslots and headers");
        daemon.ask("DeleteVolume", &id)?;
        daemon.ask("PurgeDeletedVolume", &id)?;
        progress.finish_and_clear();
        ui.confirm(&ErasedByDaemon { path: volume.path.into(), uuid: volume.uuid })
    }

    fn confirm(&self, uuid: Uuid) -> Result<(), Error> {
        let path = self.at.path.clone();
        let question = format!("This destroys all data on {}. Type its UUID, {uuid}, to go on: ", path.display());
        let answer = prompt::ask(&question)?;
        if answer.eq_ignore_ascii_case(&uuid.to_string()) { Ok(()) } else { Err(Error::NotConfirmed { path }) }
    }
}
