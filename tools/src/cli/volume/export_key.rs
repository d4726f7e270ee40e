//! `sear volume export-key PATH --output FILE`

use std::fmt;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use keywrap::keys::KeyId;
use keywrap::volume;
use serde::Serialize;

use crate::backing::{Access, NewFile};
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
        let (guard, file) = NewFile::create(&self.output, 0)?;
        (&file.file).write_all(key.0.expose_secret()).map_err(Error::io("write", &file.path))?;
        guard.keep(&file.file)?;
        ui.confirm(&Exported { path: places.data.path, key_id, file: file.path })
    }
}
