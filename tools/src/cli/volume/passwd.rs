//! `sear volume passwd PATH`

use std::fmt;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ekm_bridge::rpc::types::places::PassphraseAdded;
use keywrap::secret::SecretBytes;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use crate::backing::Access;
use crate::cli::through::Through;
use crate::error::Error;
use crate::hardening;
use crate::lock::Purpose;
use crate::prompt::PassphraseArgs;
use crate::state::StatePath;
use crate::ui::Ui;
use crate::volume::{Places, Volume, VolumePath, change_passphrases, stretch, unlock, uuid_of};

#[derive(Args, Debug)]
pub(crate) struct Passwd {
    #[command(flatten)]
    at: VolumePath,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// How the passphrase is stretched
    #[arg(long, value_enum, default_value_t = Pbkdf::Argon2id)]
    pbkdf: Pbkdf,
    /// Remove every other passphrase; keyslots of master keys stay
    #[arg(long)]
    replace: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Pbkdf {
    /// Memory-hard (RFC 9106), cryptsetup's default
    Argon2id,
    /// PBKDF2-SHA-256 (RFC 8018), for machines with little memory
    Pbkdf2,
}

#[derive(Serialize)]
struct Changed {
    path: PathBuf,
    uuid: Uuid,
    keyslot: u32,
    removed: Vec<u32>,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "keyslot {} of {} opens with the new passphrase", self.keyslot, self.path.display())?;
        if !self.removed.is_empty() {
            writeln!(f, "removed the passphrases in keyslots {:?}", self.removed)?;
        }
        Ok(())
    }
}

impl Passwd {
    /// Opens the volume with its master key and adds the passphrase; removes the others when asked to, once the new one
    /// is durable.
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        hardening::lock_memory();
        let state = state.open()?;
        let places = Places::open(&self.at, Access::Write)?;
        let _changing = state.lock(uuid_of(&places)?, Purpose::Change)?;
        let volume = unlock(&state, places)?;
        let passphrase = self.passphrase.new_one("New passphrase: ")?;
        let changed = self.change(&volume, &passphrase, ui)?;
        ui.confirm(&changed)
    }

    fn change(&self, volume: &Volume, passphrase: &SecretBytes, ui: Ui) -> Result<Changed, Error> {
        let Volume { places, opened, .. } = volume;
        let progress = ui.spinner("stretching the passphrase");
        let kdf = stretch(matches!(self.pbkdf, Pbkdf::Pbkdf2));
        let (keyslot, removed) = change_passphrases(places, &opened.volume_key, passphrase, kdf, self.replace)?;
        progress.finish_and_clear();
        Ok(Changed { path: places.data.path.clone(), uuid: opened.uuid, keyslot, removed })
    }

    /// Has the daemon do it.
    pub(super) fn run_through(self, daemon: &Through, ui: Ui) -> Result<(), Error> {
        hardening::lock_memory();
        let volume = daemon.need_volume_at(&self.at)?;
        let passphrase = self.passphrase.new_one_told("New passphrase: ")?;
        let pbkdf = if matches!(self.pbkdf, Pbkdf::Pbkdf2) { "pbkdf2" } else { "argon2id" };
        let params = json!({"volumeID": volume.id, "passphrase": passphrase, "pbkdf": pbkdf, "replace": self.replace});
        let progress = ui.spinner("stretching the passphrase");
        let answer = daemon.ask("AddVolumePassphrase", &params)?;
        progress.finish_and_clear();
        let PassphraseAdded { keyslot, removed } = serde_json::from_value(answer).map_err(Error::Json)?;
        ui.confirm(&Changed { path: volume.path.into(), uuid: volume.uuid, keyslot, removed })
    }
}
