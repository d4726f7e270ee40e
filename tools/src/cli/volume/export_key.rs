//! `sear volume export-key PATH --output FILE`

use std::fmt;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ekm_bridge::rpc::types::places::Passphrase;
use keywrap::keys::KeyId;
use keywrap::volume;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::backing::{Access, NewFile};
use crate::cli::through::Through;
use crate::error::Error;
use crate::hardening;
use crate::mount::quote;
use crate::state::StatePath;
use crate::ui::Ui;
use crate::volume::{Places, VolumePath, master_key};

#[derive(Args, Debug)]
pub(crate) struct ExportKey {
    #[command(flatten)]
    at: VolumePath,
    /// The new file, made with mode 0600
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Serialize)]
struct Exported {
    path: PathBuf,
    key_id: KeyId,
    file: PathBuf,
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [path, file] = [&self.path, &self.file].map(|path| quote(&path.to_string_lossy()));
        writeln!(f, "wrote the keyslot key of {path} to {file}; it opens the volume, so guard it and remove it soon")?;
        writeln!(f, "use it with: cryptsetup open --key-file {file} {path} NAME")
    }
}

impl ExportKey {
    /// Derives the keyslot's key from the master key and writes it, 32 bytes.
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        hardening::lock_memory();
        let state = state.open()?;
        let places = Places::open(&self.at, Access::Read)?;
        let (key_id, master) = master_key(&state, &places)?;
        let key = volume::keyslot_key(places.header(), key_id, &master).map_err(Error::volume(places.header_path()))?;
        let file = self.write(key.0.expose_secret())?;
        ui.confirm(&Exported { path: places.data.path, key_id, file })
    }

    fn write(&self, key: &[u8]) -> Result<PathBuf, Error> {
        let (guard, file) = NewFile::create(&self.output, 0)?;
        (&file.file).write_all(key).map_err(Error::io("write", &file.path))?;
        guard.keep(&file.file)?;
        Ok(file.path)
    }

    /// Has the daemon derive it.
    pub(super) fn run_through(self, daemon: &Through, ui: Ui) -> Result<(), Error> {
        hardening::lock_memory();
        let volume = daemon.need_volume_at(&self.at)?;
        let answer = daemon.ask("ExportVolumeKey", &json!({"volumeID": volume.id}))?;
        let Told { key_id, key_material } = serde_json::from_value(answer).map_err(Error::Json)?;
        let file = self.write(key_material.expose_secret().expose_secret())?;
        ui.confirm(&Exported { path: volume.path.into(), key_id, file })
    }
}

/// The daemon's answer.
#[derive(Deserialize)]
struct Told {
    #[serde(rename = "keyID")]
    key_id: KeyId,
    #[serde(rename = "keyMaterial")]
    key_material: Passphrase,
}
