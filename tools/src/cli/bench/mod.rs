//! `sear bench WHAT`: what this machine reaches.

mod chart;
mod cipher;
mod style;

use clap::Subcommand;

use crate::error::Error;
use crate::ui::Ui;

#[derive(Subcommand, Debug)]
pub(crate) enum BenchVerb {
    /// Measure AES-256-XTS: every engine, data unit and direction, on one core and on all
    Cipher(cipher::BenchCipher),
}

impl BenchVerb {
    /// Measures, and prints what was found. No volume and no state is touched.
    pub(super) fn run(self, ui: Ui) -> Result<(), Error> {
        match self {
            Self::Cipher(verb) => verb.run(ui),
        }
    }
}
