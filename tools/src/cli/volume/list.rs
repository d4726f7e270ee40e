//! `sear volume list`

use std::fmt;

use ekm_bridge::VolumeRecord;
use ekm_bridge::rpc::types::places::PlacedVolume;
use keywrap::keys::KeyId;
use serde::Serialize;

use crate::backing::Backing;
use crate::cli::through::Through;
use crate::error::Error;
use crate::lock::Purpose;
use crate::state::{State, StatePath};
use crate::ui::Ui;

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    record: VolumeRecord,
    present: bool,
    served: bool,
}

#[derive(Serialize)]
struct List {
    volumes: Vec<Listed>,
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.volumes.is_empty() {
            return writeln!(f, "no volumes");
        }
        writeln!(f, "{:<36}  {:<36}  {:<8}  PATH", "UUID", "MASTER KEY", "STATE")?;
        self.volumes.iter().try_for_each(|volume| {
            let state = match (volume.present, volume.served) {
                (_, true) => "served",
                (true, false) => "present",
                (false, false) => "missing",
            };
            let record = &volume.record;
            writeln!(f, "{}  {}  {state:<8}  {}", record.uuid, record.key_id, record.path.display())
        })
    }
}

/// Prints the registry, with what can be seen of each volume.
pub(super) fn run(state: &StatePath, ui: Ui) -> Result<(), Error> {
    let state = state.open()?;
    let records = state.node().volumes().list()?;
    let volumes = records.into_iter().map(|record| look(&state, record)).collect::<Result<_, Error>>()?;
    ui.answer(&List { volumes })
}

fn look(state: &State, record: VolumeRecord) -> Result<Listed, Error> {
    let present = Backing::exists(&record.path) && record.header.as_deref().is_none_or(Backing::exists);
    let served = match state.lock(record.uuid, Purpose::Serve) {
        Ok(_free) => false,
        Err(Error::InUse { .. }) => true,
        Err(error) => return Err(error),
    };
    Ok(Listed { record, present, served })
}

/// Prints the volumes of the daemon.
pub(super) fn run_through(daemon: &Through, ui: Ui) -> Result<(), Error> {
    let volumes = daemon.volumes()?.into_iter().filter(|volume| !volume.is_deleted).map(listed).collect();
    ui.answer(&List { volumes })
}

fn listed(volume: PlacedVolume) -> Listed {
    let record = VolumeRecord {
        uuid: volume.uuid,
        path: volume.path.into(),
        header: volume.header_path.map(Into::into),
        key_id: KeyId(volume.keys.first().copied().unwrap_or_default()),
        created: volume.created.0,
        last_opened: None,
        export: Some(volume.export),
    };
    Listed { record, present: volume.is_present, served: volume.is_open }
}
