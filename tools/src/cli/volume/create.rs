//! `sear volume create PATH --size SIZE`

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use keywrap::geometry::ByteLen;
use keywrap::keys::KeyId;
use serde::Serialize;
use uuid::Uuid;

use crate::error::Error;
use crate::hardening;
use crate::state::StatePath;
use crate::ui::Ui;
use crate::volume::{Request, VolumePath, create};

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
}
