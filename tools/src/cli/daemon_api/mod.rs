//! What is asked of a daemon on this machine, over its local socket: the methods of its API under the names of this
//! command.

mod audit;
mod faults;
mod keys;
mod provider;
mod rekey;
mod server;
mod text;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use crate::daemon;
use crate::error::Error;
use crate::state::StatePath;
use crate::ui::Ui;
use text::Told;

pub(super) use audit::AuditVerb;
pub(super) use faults::Faults;
pub(super) use keys::Keys;
pub(super) use provider::ProviderVerb;
pub(super) use rekey::Rekey;
pub(super) use server::ServerVerb;

#[derive(Args, Debug)]
pub(crate) struct Api {
    /// Its name, such as GetClusterInfo; GetAPI lists them all
    method: String,
    /// Its parameters as a JSON object, or @FILE with one; secrets belong in a file
    #[arg(default_value = "{}")]
    params: String,
}

impl Api {
    pub(super) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let text = match self.params.strip_prefix('@') {
            Some(file) => read(&PathBuf::from(file))?,
            None => self.params,
        };
        let params: Value = serde_json::from_str(&text).map_err(Error::Json)?;
        tell(ui, ask(state, &self.method, &params)?)
    }
}

/// Asks the daemon of this state directory.
fn ask(state: &StatePath, method: &str, params: &Value) -> Result<Value, Error> {
    Ok(daemon::ask(&daemon::socket(&state.run_dir()), method, params)?)
}

/// Asks, and prints the member of the answer that matters, or all of it.
fn ask_and_tell(state: &StatePath, ui: Ui, method: &str, params: &Value, member: &str) -> Result<(), Error> {
    let mut answer = ask(state, method, params)?;
    tell(ui, answer.get_mut(member).map_or(json!({}), Value::take))
}

fn tell(ui: Ui, answer: Value) -> Result<(), Error> {
    ui.answer(&Told(answer))
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(Error::io("read", path))
}
