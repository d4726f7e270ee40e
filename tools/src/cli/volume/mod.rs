//! `sear volume VERB`: one file per verb.

mod adopt;
mod backup_header;
mod create;
mod erase;
mod export_key;
mod inspect;
mod list;
mod passwd;
mod resize;
mod restore_header;

use clap::Subcommand;

use super::through::Through;
use crate::error::Error;
use crate::state::StatePath;
use crate::ui::Ui;

#[derive(Subcommand, Debug)]
pub(crate) enum VolumeVerb {
    /// Make a volume without serving it
    Create(create::Create),
    /// Give an existing LUKS2 volume a master key of this node; no data moves
    Adopt(adopt::Adopt),
    /// Show what a header says, without any key
    Inspect(inspect::Inspect),
    /// List the volumes that this node knows
    List,
    /// Add a passphrase, or replace the ones that are there
    Passwd(passwd::Passwd),
    /// Write the key with which cryptsetup opens the volume (--key-file)
    ExportKey(export_key::ExportKey),
    /// Save the header to a file
    BackupHeader(backup_header::BackupHeader),
    /// Bring a saved header back
    RestoreHeader(restore_header::RestoreHeader),
    /// Make a volume larger, also while it is served
    Resize(resize::Resize),
    /// Destroy the data by destroying every keyslot and both headers
    Erase(erase::Erase),
}

impl VolumeVerb {
    /// Runs the verb.
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        if let Some(daemon) = Through::of(state) {
            return self.run_through(&daemon, ui);
        }
        match self {
            Self::Create(verb) => verb.run(state, ui),
            Self::Adopt(verb) => verb.run(state, ui),
            Self::Inspect(verb) => verb.run(ui),
            Self::List => list::run(state, ui),
            Self::Passwd(verb) => verb.run(state, ui),
            Self::ExportKey(verb) => verb.run(state, ui),
            Self::BackupHeader(verb) => verb.run(ui),
            Self::RestoreHeader(verb) => verb.run(state, ui),
            Self::Resize(verb) => verb.run(state, ui),
            Self::Erase(verb) => verb.run(state, ui),
        }
    }

    /// The same with a daemon that has the state directory.
    fn run_through(self, daemon: &Through, ui: Ui) -> Result<(), Error> {
        match self {
            Self::Create(verb) => verb.run_through(daemon, ui),
            Self::Adopt(verb) => verb.run_through(daemon, ui),
            Self::Inspect(verb) => verb.run(ui),
            Self::List => list::run_through(daemon, ui),
            Self::Passwd(verb) => verb.run_through(daemon, ui),
            Self::ExportKey(verb) => verb.run_through(daemon, ui),
            Self::BackupHeader(verb) => verb.run(ui),
            Self::RestoreHeader(verb) => verb.run_through(daemon, ui),
            Self::Resize(verb) => verb.run_through(daemon, ui),
            Self::Erase(verb) => verb.run_through(daemon, ui),
        }
    }
}
