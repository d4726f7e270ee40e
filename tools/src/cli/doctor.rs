//! `sear doctor`

use crate::config::{Config, ConfigError};
use crate::error::Error;
use crate::ui::Ui;

/// Looks at the machine and prints what was found. A configuration that cannot be used is a finding too.
pub(super) fn run(config: Result<Config, ConfigError>, ui: Ui) -> Result<(), Error> {
    ui.answer(&crate::doctor::diagnose(config))
}
