//! `sear volume create PATH --size SIZE`

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use ekm_bridge::rpc::types::places::PlacedVolume;
use keywrap::geometry::ByteLen;
use keywrap::keys::KeyId;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::cli::through::{Through, name_of, place};
use crate::error::Error;
use crate::hardening;
use crate::state::StatePath;
use crate::ui::Ui;
use crate::volume::{Request, VolumePath, check, create};

#[derive(Args, Debug)]
pub(crate) struct Create {
    #[command(flatten)]
    at: VolumePath,
    #[command(flatten)]
    request: Request,
}

#[derive(Serialize)]
struct Created {
    path: PathBuf,
    header: Option<PathBuf>,
    uuid: Uuid,
    key_id: KeyId,
    size: u64,
    sector_size: u32,
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "made {}: {} usable, sectors of {} bytes",
            self.path.display(),
            ByteLen(self.size),
            self.sector_size
        )?;
        writeln!(f, "uuid {}, master key {}", self.uuid, self.key_id)
    }
}

impl Create {
    /// Makes the volume and registers it.
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        hardening::lock_memory();
        let state = state.open()?;
        let made = create(&state, &self.at, &self.request)?;
        state.record(&made.record())?;
        ui.confirm(&Created {
            path: made.places.data.path.clone(),
            header: made.places.detached_header_path(),
            uuid: made.opened.uuid,
            key_id: made.key_id,
            size: made.opened.segment.len.0,
            sector_size: made.opened.segment.sector_size.bytes(),
        })
    }

    /// Has the daemon make it. What is in the way is told as without one.
    pub(super) fn run_through(self, daemon: &Through, ui: Ui) -> Result<(), Error> {
        check(&self.at, &self.request)?;
        let made = self.request.create_through(daemon, &self.at, &name_of(&self.at.path))?;
        ui.confirm(&Created {
            path: made.path.into(),
            header: made.header_path.map(Into::into),
            uuid: made.uuid,
            key_id: KeyId(made.keys.first().copied().unwrap_or_default()),
            size: made.total_size,
            sector_size: self.request.sector().bytes(),
        })
    }
}

impl Request {
    /// Has the daemon make a volume.
    pub(in crate::cli) fn create_through(
        &self,
        daemon: &Through,
        at: &VolumePath,
        name: &str,
    ) -> Result<PlacedVolume, Error> {
        let mut params = place(at, name)?;
        params.insert("totalSize".to_owned(), json!(self.size.map(|size| size.0)));
        params.insert("sectorSize".to_owned(), json!(self.sector().bytes()));
        params.insert("label".to_owned(), json!(self.label));
        params.insert("force".to_owned(), json!(self.force));
        daemon.ask_for_volume("CreateVolumeAt", &params.into())
    }
}
