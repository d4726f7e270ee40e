//! The result: tables for people, JSON for programs.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use sear_benches::machine::Machine;
use sear_benches::record::write_report;
use serde::Serialize;

use crate::race::{LOADS, Pace, Section};

/// Everything that one run showed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Day of the run, `YYYY-MM-DD`; empty when it is not recorded.
    pub(crate) date: String,
    /// Commit that was measured.
    pub(crate) commit: String,
    /// Where.
    pub(crate) machine: Machine,
    /// What idle processors did.
    pub(crate) idle: &'static str,
    /// How long and how often.
    pub(crate) pace: Pace,
    /// What was measured.
    pub(crate) sections: Vec<Section>,
}

impl Report {
    /// Writes `README.md` and `results.json` into `<root>/<machine>/<date>/vm/`, which it returns.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn write(&self, root: &Path) -> io::Result<PathBuf> {
        write_report(root.join(&self.machine.slug).join(&self.date).join("vm"), self)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { slug, model, cpus, kernel, load, .. } = &self.machine;
        writeln!(f, "# In a virtual machine: {slug}, {}\n", self.date)?;
        writeln!(
            f,
            "{model}, {cpus} processors, Linux {kernel}, commit {}. Load average at the end: {load}. {}\n",
            self.commit, self.idle
        )?;
        let Pace { rounds, turn_ms } = self.pace;
        writeln!(
            f,
            "Medians of {rounds} rounds with turns of {turn_ms} ms in shuffled order; a ratio is the median of the ratios of"
        )?;
        writeln!(
            f,
            "each round. The guest is emulated by QEMU (TCG), its AES instructions too: only the ratios mean something, and"
        )?;
        writeln!(
            f,
            "the processor time of servers on the host. How it was made: [docs/benchmarking.md](../../../../../docs/benchmarking.md)."
        )?;
        self.sections.iter().try_for_each(|section| table(f, section))
    }
}

fn table(f: &mut fmt::Formatter<'_>, section: &Section) -> fmt::Result {
    writeln!(f, "\n## {}\n", section.title)?;
    header(f, "operations per second")?;
    for (racer, name) in section.racers.iter().enumerate() {
        row(f, name, |load| format!("{:.0}", section.iops(racer, load)))?;
    }
    if section.cpu_us(0, 0).is_some() {
        writeln!(f)?;
        header(f, "server CPU per operation, µs")?;
        for (racer, name) in section.racers.iter().enumerate() {
            row(f, name, |load| section.cpu_us(racer, load).map_or("–".to_owned(), |time| format!("{time:.1}")))?;
        }
    }
    writeln!(f)?;
    header(f, &format!("{} to", section.racers[0]))?;
    for (racer, name) in section.racers.iter().enumerate().skip(1) {
        row(f, name, |load| format!("{:.2}", section.ratio(racer, load)))?;
    }
    Ok(())
}

fn header(f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
    write!(f, "| {what} |")?;
    LOADS.iter().try_for_each(|load| write!(f, " {} |", load.name))?;
    writeln!(f, "\n|---|{}", "---:|".repeat(LOADS.len()))
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, cell: impl Fn(usize) -> String) -> fmt::Result {
    write!(f, "| {name} |")?;
    (0..LOADS.len()).try_for_each(|load| write!(f, " {} |", cell(load)))?;
    writeln!(f)
}
