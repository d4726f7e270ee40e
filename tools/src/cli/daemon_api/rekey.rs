//! `sear rekey`

use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::{ask, tell};
use crate::error::Error;
use crate::state::StatePath;
use crate::ui::Ui;

/// How often the end of a rekey is looked for.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Args, Debug)]
pub(crate) struct Rekey {
    #[command(flatten)]
    what: What,
    /// Do not wait for the end
    #[arg(long)]
    no_wait: bool,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct What {
    /// Take the new key from whoever manages the present one
    #[arg(long)]
    now: bool,
    /// Take the new key from this key provider
    #[arg(long, value_name = "ID")]
    provider: Option<u64>,
    /// Make the new key here, and manage it here
    #[arg(long)]
    internal: bool,
    /// Call off the rekey that runs, as long as no volume is wrapped by its key
    #[arg(long)]
    cancel: bool,
}

impl Rekey {
    pub(crate) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let (method, params) = self.what.call();
        let begun = ask(state, method, &params)?;
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

impl What {
    fn call(&self) -> (&'static str, Value) {
        const REKEY: &str = "RekeySoftwareEncryptionAtRestMasterKey";
        match self {
            Self { cancel: true, .. } => ("CancelRekeySoftwareEncryptionAtRestMasterKey", json!({})),
            Self { provider: Some(id), .. } => (REKEY, json!({"keyManagementType": "external", "keyProviderID": id})),
            Self { internal: true, .. } => (REKEY, json!({"keyManagementType": "internal"})),
            Self { .. } => (REKEY, json!({})),
        }
    }
}
