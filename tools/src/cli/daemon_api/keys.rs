//! `sear keys …`: the ledger of master keys.

mod page;

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::{ask, ask_and_tell, tell};
use crate::error::Error;
use crate::state::StatePath;
use crate::ui::Ui;

#[derive(Args, Debug)]
pub(crate) struct Keys {
    #[command(subcommand)]
    verb: Option<KeysVerb>,
}

#[derive(Subcommand, Debug)]
enum KeysVerb {
    /// List every master key there ever was, and what depends on it
    List,
    /// Write the certificate of a key: its life, who depended on it, the proof and the answers at its end
    Report(Report),
    /// Let a replaced key be destroyed
    Decommission(Decommission),
    /// Replace master keys by themselves after some time
    Rotate(Rotate),
    /// Make a backup of a volume's header, which follows every rekey
    Backup(Backup),
    /// List the backups of headers
    Backups,
    /// Destroy a backup of a header
    DropBackup(DropBackup),
}

#[derive(Args, Debug)]
struct Report {
    /// The key
    key: Uuid,
    /// Write NAME.json and NAME.md in the place of printing
    #[arg(long, value_name = "NAME")]
    output: Option<PathBuf>,
}

#[derive(Args, Debug)]
struct Decommission {
    /// The key
    key: Uuid,
    /// Destroy it although something depends on it, which is then lost; each has to be named
    #[arg(long)]
    force: bool,
    /// With --force: what is lost, by the name that `sear keys` shows; repeat it for each
    #[arg(long, value_name = "NAME", requires = "force")]
    lose: Vec<String>,
}

#[derive(Args, Debug)]
struct Rotate {
    /// Whose keys; those of the built-in provider when not given
    #[arg(long, value_name = "ID")]
    provider: Option<u64>,
    /// After how many days
    #[arg(long, required_unless_present = "never", conflicts_with = "never")]
    days: Option<u32>,
    /// Not any more
    #[arg(long)]
    never: bool,
}

#[derive(Args, Debug)]
struct Backup {
    /// The volume's number
    volume: u64,
}

#[derive(Args, Debug)]
struct DropBackup {
    /// The backup
    id: Uuid,
    /// It is not where it was, and no copy of it exists
    #[arg(long)]
    gone: bool,
}

impl Keys {
    pub(crate) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        match self.verb.unwrap_or(KeysVerb::List) {
            KeysVerb::List => ask_and_tell(state, ui, "ListMasterKeys", &json!({}), "masterKeys"),
            KeysVerb::Report(report) => report.run(state, ui),
            KeysVerb::Decommission(order) => order.run(state, ui),
            KeysVerb::Rotate(Rotate { provider, days, .. }) => {
                let params = json!({"keyProviderID": provider, "days": days});
                ask_and_tell(state, ui, "SetMasterKeyRotation", &params, "")
            }
            KeysVerb::Backup(Backup { volume }) => {
                ask_and_tell(state, ui, "CreateVolumeHeaderBackup", &json!({"volumeID": volume}), "headerBackup")
            }
            KeysVerb::Backups => ask_and_tell(state, ui, "ListVolumeHeaderBackups", &json!({}), "headerBackups"),
            KeysVerb::DropBackup(DropBackup { id, gone }) => {
                let params = json!({"headerBackupID": id, "isGone": gone});
                ask_and_tell(state, ui, "DeleteVolumeHeaderBackup", &params, "")
            }
        }
    }
}

impl Report {
    fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let report = ask(state, "GetMasterKeyReport", &json!({"keyID": self.key}))?;
        let Some(name) = self.output else {
            if ui.json {
                return tell(ui, report);
            }
            return ui.answer(&page::Page(report));
        };
        let write = |extension: &str, text: String| {
            let path = name.with_extension(extension);
            fs::write(&path, text).map_err(Error::io("write", &path)).map(|()| path)
        };
        let json = write("json", format!("{report:#}\n"))?;
        let page = write("md", page::Page(report).to_string())?;
        tell(ui, json!({"json": json, "page": page}))
    }
}

impl Decommission {
    fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let params = json!({"keyID": self.key, "force": self.force, "dependants": self.lose});
        ask_and_tell(state, ui, "DecommissionMasterKey", &params, "")
    }
}
