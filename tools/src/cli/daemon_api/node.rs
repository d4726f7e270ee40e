//! `sear rekey`, `sear keys`, `sear faults`

use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{ask, ask_and_tell, tell};
use crate::error::Error;
use crate::state::StatePath;
use crate::ui::Ui;

/// How often the end of a rekey is looked for.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Args, Debug)]
pub(crate) struct Rekey {
    /// Take the new key from this provider in the place of the built-in one
    #[arg(long, value_name = "ID")]
    provider: Option<u64>,
    /// Do not wait for the end
    #[arg(long)]
    no_wait: bool,
}

impl Rekey {
    pub(crate) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let params = match self.provider {
            Some(id) => json!({"keyManagementType": "external", "keyProviderID": id}),
            None => json!({"keyManagementType": "internal"}),
        };
        let begun = ask(state, "RekeySoftwareEncryptionAtRestMasterKey", &params)?;
        if self.no_wait {
            return tell(ui, begun);
        }
        let handle = begun.get("asyncHandle").cloned().unwrap_or_default();
        let spinner = ui.spinner("wrapping every volume by the new master key");
        let result = loop {
            let result = ask(state, "GetAsyncResult", &json!({"asyncHandle": handle}))?;
            if result.get("status").and_then(Value::as_str) != Some("running") {
                break result;
            }
            thread::sleep(LOOK);
        };
        spinner.finish_and_clear();
        tell(ui, result)
    }
}

/// Prints the master key in force and those that something still depends on.
pub(crate) fn keys(state: &StatePath, ui: Ui) -> Result<(), Error> {
    tell(ui, ask(state, "GetSoftwareEncryptionAtRestInfo", &json!({}))?)
}

#[derive(Args, Debug)]
pub(crate) struct Faults {
    /// Those that are resolved, too
    #[arg(long)]
    all: bool,
}

impl Faults {
    pub(crate) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let which = if self.all { "all" } else { "current" };
        ask_and_tell(state, ui, "ListClusterFaults", &json!({"faultTypes": which}), "faults")
    }
}
