//! `sear audit …`

use clap::{Args, Subcommand};
use ekm_bridge::audit::{Head, verify};
use serde_json::json;

use super::tell;
use crate::daemon::{DaemonError, log_path};
use crate::error::Error;
use crate::state::StatePath;
use crate::ui::Ui;

#[derive(Subcommand, Debug)]
pub(crate) enum AuditVerb {
    /// Check that no entry was changed or taken away; the daemon may run meanwhile
    Verify(Verify),
}

#[derive(Args, Debug)]
pub(crate) struct Verify {
    /// The head that was printed earlier: what it covers must still be there
    #[arg(long, value_name = "NUMBER:HASH")]
    known: Option<Head>,
}

impl AuditVerb {
    pub(crate) fn run(self, state: &StatePath, ui: Ui) -> Result<(), Error> {
        let Self::Verify(Verify { known }) = self;
        let head = verify(&log_path(state.path()), known).map_err(DaemonError::from)?;
        tell(ui, json!({"entries": head.sequence, "head": head.to_string()}))
    }
}
