//! The report as Markdown, which is also what the terminal shows.

use std::fmt::{Display, Formatter, Result};

use sear_benches::machine::Machine;

use super::{Report, plot_name};
use crate::judge::{CaseOutcome, Outcome, Standing, Verdict};
use crate::section::Metric;

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Machine { slug, model, cpus, features, kernel, load } = &self.machine;
        writeln!(f, "# NBD beside its peers: {slug}, {}\n", self.date)?;
        writeln!(f, "{model}, {cpus} processors, {}, Linux {kernel}, commit {}.", features.join(" "), self.commit)?;
        writeln!(f, "Load average at the end: {load}. Far above 2, other work disturbed the run. {}\n", self.idle)?;
        writeln!(f, "{}.\n", self.programs.join("; "))?;
        writeln!(
            f,
            "Medians of {} rounds with turns of {} ms in shuffled order, over images of {} MiB; a ratio is the median of",
            self.rounds,
            self.turn_ms,
            self.image_len >> 20
        )?;
        writeln!(
            f,
            "the ratios of each round. Every server gave back what was written to it, before it was measured."
        )?;
        writeln!(f, "How it was made: [docs/benchmarking.md](../../../../../docs/benchmarking.md).\n")?;
        let verdicts: Vec<&Verdict> = self.sections.iter().flat_map(Outcome::verdicts).collect();
        let met = verdicts.iter().filter(|verdict| verdict.met).count();
        writeln!(f, "**{met} of {} targets are met.**", verdicts.len())?;
        self.sections.iter().try_for_each(|outcome| section(f, outcome))
    }
}

fn section(f: &mut Formatter<'_>, outcome: &Outcome) -> Result {
    writeln!(f, "\n## {}\n", outcome.title)?;
    writeln!(f, "![{}]({})\n", outcome.title, plot_name(outcome))?;
    for skipped in &outcome.skipped {
        writeln!(f, "Not here: {skipped}.\n")?;
    }
    if !outcome.direct.is_empty() {
        let of = |wanted: bool| {
            let names = outcome.direct.iter().filter(|(_, direct)| *direct == wanted).map(|(name, _)| *name);
            names.collect::<Vec<_>>().join(", ")
        };
        writeln!(f, "Past the page cache: {}. Through it: {}.\n", of(true), of(false))?;
    }
    table(f, outcome, |case| case.rate, |standing| standing.rate)?;
    table(f, outcome, |case| case.cost, |standing| standing.cost)?;
    goals(f, outcome)
}

/// A row per contestant, a column per load; one table for each metric that the loads have.
fn table(
    f: &mut Formatter<'_>,
    outcome: &Outcome,
    metric: impl Fn(&CaseOutcome) -> Metric,
    value: impl Fn(&Standing) -> f64,
) -> Result {
    let mut metrics: Vec<Metric> = Vec::new();
    for shown in outcome.cases.iter().map(&metric) {
        if !metrics.contains(&shown) {
            metrics.push(shown);
        }
    }
    for shown in metrics {
        let cases: Vec<&CaseOutcome> = outcome.cases.iter().filter(|case| metric(case) == shown).collect();
        let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        writeln!(f, "| {} | {} |\n|---|{}", shown.title(), names.join(" | "), "---:|".repeat(names.len()))?;
        for (place, standing) in cases[0].standings.iter().enumerate() {
            let values = cases.iter().map(|case| show(shown, value(&case.standings[place])));
            writeln!(f, "| {} | {} |", standing.name, values.collect::<Vec<_>>().join(" | "))?;
        }
        writeln!(f)?;
    }
    Ok(())
}

fn show(metric: Metric, value: f64) -> String {
    if value.is_nan() { "–".into() } else { metric.show(value) }
}

/// A row per verdict.
fn goals(f: &mut Formatter<'_>, outcome: &Outcome) -> Result {
    if outcome.verdicts().next().is_none() {
        return Ok(());
    }
    writeln!(f, "| what | with | beside | ratio | target | |\n|---|---|---|---:|---:|---|")?;
    let mut rows: Vec<(&CaseOutcome, &Verdict)> = Vec::new();
    for case in &outcome.cases {
        rows.extend(case.verdicts.iter().map(|verdict| (case, verdict)));
    }
    rows.into_iter().try_for_each(|(case, verdict)| writeln!(f, "{}", goal(&case.name, verdict)))
}

fn goal(case: &str, verdict: &Verdict) -> String {
    let Verdict { metric, against, is_best, ratio, target, met } = verdict;
    let best = if *is_best { ", the best plain one" } else { "" };
    let met = if *met { "met" } else { "**not met**" };
    format!("| {} | {case} | {against}{best} | {ratio:.3} | {target} | {met} |", metric.title())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_the_ratio_the_target_and_whether_it_is_met() {
        let verdict = |ratio, met| Verdict {
            metric: Metric::Iops,
            against: "nbdkit file",
            is_best: true,
            ratio,
            target: "≥ 1.00".into(),
            met,
        };
        let row = goal("4 KiB", &verdict(1.25, true));
        assert_eq!(row, "| IOPS | 4 KiB | nbdkit file, the best plain one | 1.250 | ≥ 1.00 | met |");
        assert!(goal("4 KiB", &verdict(0.9, false)).ends_with("| 0.900 | ≥ 1.00 | **not met** |"));
    }

    #[test]
    fn what_has_no_value_shows_none() {
        assert_eq!(show(Metric::CpuUsPerOp, f64::NAN), "–");
        assert_eq!(show(Metric::CpuUsPerOp, 7.126), "7.13");
    }
}
