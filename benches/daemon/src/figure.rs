//! The result: a table for people, JSON for programs.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use sear_benches::machine::Machine;
use sear_benches::record::write_report;
use serde::Serialize;

/// One thing that was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// What.
    pub(crate) what: String,
    /// How much.
    pub(crate) value: f64,
    /// Of what.
    pub(crate) unit: &'static str,
    /// What it may be at most, where that was promised.
    pub(crate) target: Option<f64>,
    /// The single values behind it, where they tell more.
    pub(crate) values: Vec<f64>,
}

impl Figure {
    /// One value.
    pub(crate) fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, target: None, values: Vec::new() }
    }

    /// The median of several values, which are kept.
    pub(crate) fn median(what: impl Into<String>, values: Vec<f64>, unit: &'static str) -> Self {
        let value = sear_benches::stats::median(values.iter().copied());
        Self { values, ..Self::new(what, value, unit) }
    }

    /// The same with the most that it may be.
    pub(crate) fn at_most(self, target: f64) -> Self {
        Self { target: Some(target), ..self }
    }

    fn verdict(&self) -> String {
        match self.target {
            None => String::new(),
            Some(target) if self.value <= target => format!("{target} {}: met", self.unit),
            Some(target) => format!("{target} {}: **not met**", self.unit),
        }
    }

    fn spread(&self) -> String {
        let (min, max) = self.values.iter().fold((f64::MAX, f64::MIN), |(min, max), v| (min.min(*v), max.max(*v)));
        if self.values.is_empty() { String::new() } else { format!("{} to {}", short(min), short(max)) }
    }
}

/// Three digits that count.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Everything that one run showed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Day of the run, `YYYY-MM-DD`; empty when it is not recorded.
    pub(crate) date: String,
    /// Commit that was measured.
    pub(crate) commit: String,
    /// Where.
    pub(crate) machine: Machine,
    /// Volumes of the large node.
    pub(crate) volumes: usize,
    /// What was measured.
    pub(crate) figures: Vec<Figure>,
    /// The name of the folder of the record.
    #[serde(skip)]
    pub(crate) folder: String,
    /// How the time of a rekey grows, as SVG, if that was measured.
    #[serde(skip)]
    pub(crate) plot: Option<String>,
}

impl Report {
    /// Writes `README.md`, `results.json` and `rekey.svg` into `<root>/<machine>/<date>/<folder>/`, which it returns.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn write(&self, root: &Path) -> io::Result<PathBuf> {
        let folder = write_report(root.join(&self.machine.slug).join(&self.date).join(&self.folder), self)?;
        if let Some(plot) = &self.plot {
            fs::write(folder.join("rekey.svg"), plot)?;
        }
        Ok(folder)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { slug, model, cpus, kernel, load, .. } = &self.machine;
        writeln!(f, "# The daemon: {slug}, {}\n", self.date)?;
        writeln!(
            f,
            "{model}, {cpus} processors, Linux {kernel}, commit {}. Load average at the end: {load}.\n",
            self.commit
        )?;
        writeln!(
            f,
            "`sear daemon` in a release build, its clients and PyKMIP, the key manager, on the same processors. How it was"
        )?;
        writeln!(f, "made: [docs/benchmarking.md](../../../../../docs/benchmarking.md#the-daemon).\n")?;
        writeln!(f, "| what | value | of single runs | target |\n|---|---:|---:|---|")?;
        self.figures.iter().try_for_each(|figure| {
            let Figure { what, value, unit, .. } = figure;
            writeln!(f, "| {what} | {} {unit} | {} | {} |", short(*value), figure.spread(), figure.verdict())
        })?;
        if self.plot.is_some() {
            writeln!(f, "\n![How the time of a rekey grows with the number of volumes](rekey.svg)")?;
        }
        Ok(())
    }
}
