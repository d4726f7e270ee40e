//! `sear volume adopt PATH`

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use ekm_bridge::KeyProvider;
use keywrap::keys::KeyId;
use keywrap::volume;
use serde::Serialize;
use uuid::Uuid;

use crate::backing::Access;
use crate::cli::through::{Through, name_of, place};
use crate::daemon::DaemonError;
use crate::error::Error;
use crate::hardening;
use crate::lock::Purpose;
use crate::prompt::PassphraseArgs;
use crate::state::{State, StatePath};
use crate::ui::Ui;
use crate::volume::{Places, Volume, VolumePath, uuid_of};

#[derive(Args, Debug)]
pub(crate) struct Adopt {
    #[command(flatten)]
    at: VolumePath,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

#[derive(Serialize)]
struct Adopted {
    path: PathBuf,
    uuid: Uuid,
    key_id: KeyId,
}

impl fmt::Display for Adopted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "adopted {}: master key {} opens volume {} now", self.path.display(), self.key_id, self.uuid)?;
        writeln!(f, "its passphrase still works too; serve it with: sear up {}", self.path.display())
    }
}

impl Adopt {
    /// Adds a keyslot and a token of ours beside the passphrase, and registers the volume.
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        hardening::lock_memory();
        let state = state.open()?;
        let places = Places::open(&self.at, Access::Write)?;
        let _changing = state.lock(uuid_of(&places)?, Purpose::Change)?;
        let passphrase = self.passphrase.existing("Passphrase of the volume: ")?;
        let volume = adopt(&state, places, &passphrase, ui)?;
        state.record(&volume.record())?;
        ui.confirm(&Adopted { path: volume.places.data.path.clone(), uuid: volume.opened.uuid, key_id: volume.key_id })
    }

    /// Has the daemon adopt it. A volume that one of its master keys opens needs no passphrase.
    pub(super) fn run_through(self, daemon: &Through, ui: Ui) -> Result<(), Error> {
        hardening::lock_memory();
        let places = Places::open(&self.at, Access::Read)?;
        let names_keys = !volume::key_ids(places.header()).map_err(Error::volume(places.header_path()))?.is_empty();
        let mut params = place(&self.at, &name_of(&self.at.path))?;
        let without = || daemon.ask_for_volume("AdoptVolume", &params.clone().into());
        let adopted = match (names_keys && self.passphrase.passphrase_file.is_none()).then(without) {
            Some(Err(Error::Daemon(DaemonError::Refused { name, .. }))) if name == "xKeyUnavailable" => None,
            // Known, and locked: a header that came back may name only keys that are gone.
            Some(Ok(known)) if !known.is_open => None,
            outcome => outcome.transpose()?,
        };
        let adopted = match adopted {
            Some(adopted) => adopted,
            None => {
                params.insert("passphrase".to_owned(), self.passphrase.told("Passphrase of the volume: ")?);
                let progress = ui.spinner("trying the passphrase");
                let adopted = daemon.ask_for_volume("AdoptVolume", &params.into())?;
                progress.finish_and_clear();
                adopted
            }
        };
        let key_id = KeyId(adopted.keys.first().copied().unwrap_or_default());
        ui.confirm(&Adopted { path: adopted.path.into(), uuid: adopted.uuid, key_id })
    }
}

fn adopt(state: &State, places: Places, passphrase: &keywrap::secret::SecretBytes, ui: Ui) -> Result<Volume, Error> {
    let (key_id, master) = state.node().provider().current_key()?;
    let progress = ui.spinner("trying the passphrase");
    let opened = volume::adopt(places.header(), places.data.len, passphrase, key_id, &master)
        .map_err(Error::volume(places.header_path()))?;
    progress.finish_and_clear();
    Ok(Volume { places, key_id, opened })
}
