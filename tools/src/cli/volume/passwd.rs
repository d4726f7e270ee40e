//! `sear volume passwd PATH`

use std::fmt;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use keywrap::secret::SecretBytes;
use keywrap::volume::{self, Inspection, KdfChoice};
use serde::Serialize;
use uuid::Uuid;

use crate::backing::Access;
use crate::error::Error;
use crate::hardening;
use crate::lock::Purpose;
use crate::prompt::PassphraseArgs;
use crate::state::StatePath;
use crate::ui::Ui;
use crate::volume::{Places, Volume, VolumePath, unlock, uuid_of};

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

/// PBKDF2-SHA-256 iterations: about a second on a server core, as OWASP's minimum of 600 000 several times over.
const PBKDF2_ITERATIONS: u32 = 2_000_000;

impl From<Pbkdf> for KdfChoice {
    fn from(pbkdf: Pbkdf) -> Self {
        match pbkdf {
            Pbkdf::Argon2id => Self::default(),
            Pbkdf::Pbkdf2 => Self::Pbkdf2 { iterations: PBKDF2_ITERATIONS },
        }
    }
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
        let failed = || Error::volume(places.header_path());
        let others = passphrase_keyslots(&volume::inspect(places.header()).map_err(failed())?);
        let progress = ui.spinner("stretching the passphrase");
        let keyslot = volume::add_passphrase(places.header(), &opened.volume_key, passphrase, self.pbkdf.into())
            .map_err(failed())?;
        progress.finish_and_clear();
        let removed = if self.replace { others } else { Vec::new() };
        for slot in &removed {
            volume::remove_keyslot(places.header(), *slot).map_err(failed())?;
        }
        Ok(Changed { path: places.data.path.clone(), uuid: opened.uuid, keyslot, removed })
    }
}

/// The keyslots that a person's passphrase opens: those that no token names.
fn passphrase_keyslots(seen: &Inspection) -> Vec<u32> {
    let named = |id: u32| seen.tokens.iter().any(|token| token.keyslots.contains(&id));
    seen.keyslots.iter().filter(|slot| slot.kind == "luks2" && !named(slot.id)).map(|slot| slot.id).collect()
}
