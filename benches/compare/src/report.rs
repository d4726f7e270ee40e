//! The result as tables for people and as JSON for programs.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sear_benches::machine::Machine;
use serde::Serialize;

use crate::judge::{Outcome, Verdict};

/// Everything that one run showed on one machine.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// Day of the run, `YYYY-MM-DD`; empty when it is not recorded.
    pub(crate) date: String,
    /// Commit that was measured.
    pub(crate) commit: String,
    /// Where.
    pub(crate) machine: Machine,
    /// The engine that was compared with the peers.
    pub(crate) engine: String,
    /// The peers, exactly.
    pub(crate) peers: Vec<String>,
    /// Rounds.
    pub(crate) rounds: usize,
    /// Length of one contestant's turn in milliseconds.
    pub(crate) turn_ms: u128,
    /// What this machine could not run.
    pub(crate) skipped: Vec<String>,
    /// By race.
    pub(crate) outcomes: Vec<Outcome>,
}

impl Report {
    /// Writes `README.md` and `results.json` into `<root>/<machine>/<date>/cipher/`, which it returns.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn write(&self, root: &Path) -> io::Result<PathBuf> {
        let folder = root.join(&self.machine.slug).join(&self.date).join("cipher");
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("results.json"), serde_json::to_string_pretty(self)? + "\n")?;
        fs::write(folder.join("README.md"), self.to_string())?;
        Ok(folder)
    }

    /// How many targets there are, and how many of them are met.
    fn score(&self) -> (usize, usize) {
        let verdicts = self.outcomes.iter().flat_map(|outcome| &outcome.verdicts);
        let met: Vec<bool> = verdicts.filter_map(|verdict| verdict.met).collect();
        (met.len(), met.iter().filter(|met| **met).count())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine { slug, model, cpus, features, kernel, load } = &self.machine;
        writeln!(f, "# AES-256-XTS beside its peers: {slug}, {}\n", self.date)?;
        writeln!(f, "{model}, {cpus} processors, {}, Linux {kernel}, commit {}.", features.join(" "), self.commit)?;
        writeln!(f, "Load average at the end: {load}. Far above 2, other work disturbed the run.\n")?;
        writeln!(f, "Engine: {}. Peers: {}.\n", self.engine, self.peers.join("; "))?;
        writeln!(
            f,
            "Rates are medians of {} rounds in GB/s (10^9 bytes per second), turns of {} ms in shuffled",
            self.rounds, self.turn_ms
        )?;
        writeln!(
            f,
            "order; a ratio is the median of the ratios of each round. All peers agreed with Sear bit for bit."
        )?;
        writeln!(f, "How it was made: [docs/benchmarking.md](../../../../../docs/benchmarking.md).\n")?;
        let (targets, met) = self.score();
        writeln!(f, "**{met} of {targets} targets are met.**")?;
        for skipped in &self.skipped {
            writeln!(f, "\nSkipped: {skipped}.")?;
        }
        for section in self.outcomes.chunk_by(|a, b| a.scenario == b.scenario) {
            write!(f, "\n## {}\n\n", section[0].scenario)?;
            rates(f, section)?;
            verdicts(f, section)?;
        }
        Ok(())
    }
}

/// A row per race, a column per contestant.
fn rates(f: &mut fmt::Formatter<'_>, section: &[Outcome]) -> fmt::Result {
    let mut names: Vec<&str> = Vec::new();
    for rate in section.iter().flat_map(|outcome| &outcome.rates) {
        if !names.contains(&rate.name.as_str()) {
            names.push(&rate.name);
        }
    }
    writeln!(f, "| GB/s | {} |\n|---|{}", names.join(" | "), "---:|".repeat(names.len()))?;
    for Outcome { case, rates, .. } in section {
        write!(f, "| {case} |")?;
        for name in &names {
            match rates.iter().find(|rate| rate.name == *name) {
                Some(rate) => write!(f, " {:.2} |", rate.gb_per_s)?,
                None => write!(f, " |")?,
            }
        }
        writeln!(f)?;
    }
    Ok(())
}

/// A row per goal.
fn verdicts(f: &mut fmt::Formatter<'_>, section: &[Outcome]) -> fmt::Result {
    writeln!(f, "\n| ratio of | to | in | ratio | target | |\n|---|---|---|---:|---:|---|")?;
    for outcome in section {
        for verdict in &outcome.verdicts {
            writeln!(f, "{}", row(&outcome.case, verdict))?;
        }
    }
    Ok(())
}

fn row(case: &str, verdict: &Verdict) -> String {
    let Verdict { subject, against, best_of, ratio, at_least, met } = verdict;
    let best = if *best_of > 1 { format!(", best of {best_of}") } else { String::new() };
    let target = at_least.map_or(String::new(), |least| format!("≥ {least:.2}"));
    let met = met.map_or("shown", |met| if met { "met" } else { "**not met**" });
    format!("| {subject} | {against}{best} | {case} | {ratio:.3} | {target} | {met} |")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(ratio: f64, at_least: Option<f64>) -> Verdict {
        let met = at_least.map(|least| ratio >= least);
        Verdict { subject: "ours".into(), against: "theirs".into(), best_of: 2, ratio, at_least, met }
    }

    #[test]
    fn a_row_says_the_ratio_the_target_and_whether_it_is_met() {
        let met = row("a", &verdict(1.6, Some(1.5)));
        assert_eq!(met, "| ours | theirs, best of 2 | a | 1.600 | ≥ 1.50 | met |");
        let missed = row("a", &verdict(1.4, Some(1.5)));
        assert_eq!(missed, "| ours | theirs, best of 2 | a | 1.400 | ≥ 1.50 | **not met** |");
        assert_eq!(row("a", &verdict(1.4, None)), "| ours | theirs, best of 2 | a | 1.400 |  | shown |");
    }
}
