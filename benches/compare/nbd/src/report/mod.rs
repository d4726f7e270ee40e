//! The result: tables and plots for people, JSON for programs.

mod bars;
mod lines;
mod markdown;
pub(crate) mod svg;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sear_benches::machine::Machine;
use sear_benches::record::write_report;
use serde::Serialize;

use crate::judge::Outcome;
use crate::section::Key;

/// Everything that one run showed on one machine.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// Day of the run, `YYYY-MM-DD`; empty when it is not recorded.
    pub(crate) date: String,
    /// Commit that was measured.
    pub(crate) commit: String,
    /// Where.
    pub(crate) machine: Machine,
    /// What idle processors did.
    pub(crate) idle: &'static str,
    /// The programs, exactly.
    pub(crate) programs: Vec<String>,
    /// Rounds.
    pub(crate) rounds: usize,
    /// Length of one turn in milliseconds.
    pub(crate) turn_ms: u128,
    /// Bytes that an image offers.
    pub(crate) image_len: u64,
    /// By section.
    pub(crate) sections: Vec<Outcome>,
}

impl Report {
    /// Writes `README.md`, `results.json` and a plot per section into `<root>/<machine>/<date>/nbd/`, which it returns.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn write(&self, root: &Path) -> io::Result<PathBuf> {
        let folder = write_report(root.join(&self.machine.slug).join(&self.date).join("nbd"), self)?;
        for section in &self.sections {
            let plot = if section.key == Key::Scaling { lines::plot(section) } else { bars::plot(section) };
            fs::write(folder.join(plot_name(section)), plot)?;
        }
        Ok(folder)
    }
}

fn plot_name(section: &Outcome) -> String {
    format!("{}.svg", format!("{:?}", section.key).to_lowercase())
}
