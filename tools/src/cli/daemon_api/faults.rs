//! `sear faults`

use clap::Args;
use serde_json::json;

use super::ask_and_tell;
use crate::error::Error;
use crate::state::StatePath;
use crate::ui::Ui;

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
