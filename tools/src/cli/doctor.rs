//! `sear doctor`

use crate::error::Error;
use crate::ui::Ui;

/// Looks at the machine and prints what was found.
pub(super) fn run(ui: Ui) -> Result<(), Error> {
    ui.answer(&crate::doctor::diagnose())
}
