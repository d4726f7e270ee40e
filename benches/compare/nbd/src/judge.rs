//! From turns to medians, ratios and verdicts.

use sear_benches::stats::median;
use serde::Serialize;

use crate::contestant::Class;
use crate::fio::Load;
use crate::run::{Ran, Row, Turn};
use crate::section::{Against, Case, Goal, Key, Metric};

/// What a section showed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    /// The section.
    pub(crate) key: Key,
    /// What the report calls it.
    pub(crate) title: &'static str,
    /// By load.
    pub(crate) cases: Vec<CaseOutcome>,
    /// Who went past the page cache and who did not; only on a disk.
    pub(crate) direct: Vec<(&'static str, bool)>,
    /// Who is missing, and why.
    pub(crate) skipped: Vec<String>,
}

/// What one load showed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CaseOutcome {
    /// What the report calls it.
    pub(crate) name: String,
    /// The load.
    pub(crate) load: Load,
    /// How fast a contestant was.
    pub(crate) rate: Metric,
    /// What that cost the server.
    pub(crate) cost: Metric,
    /// By contestant.
    pub(crate) standings: Vec<Standing>,
    /// By goal; a goal whose contestants did not take part has none.
    pub(crate) verdicts: Vec<Verdict>,
}

/// How a contestant did.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Standing {
    /// Who.
    pub(crate) name: &'static str,
    /// What it is to the others.
    pub(crate) class: Class,
    /// The median of the rates.
    pub(crate) rate: f64,
    /// The median of the costs; not a number where there is no server.
    pub(crate) cost: f64,
    /// By round.
    pub(crate) rounds: Vec<Turn>,
}

/// A ratio beside its target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Verdict {
    /// What is looked at.
    pub(crate) metric: Metric,
    /// Beside whose value.
    pub(crate) against: &'static str,
    /// Whether that was the best of several.
    pub(crate) is_best: bool,
    /// The median of the ratios of each round.
    pub(crate) ratio: f64,
    /// The limit, as it stands in a table.
    pub(crate) target: String,
    /// Whether the ratio is within the limit.
    pub(crate) met: bool,
}

impl Outcome {
    /// The outcome of a section.
    pub(crate) fn of(ran: Ran) -> Self {
        let Ran { section, rows, skipped } = ran;
        let numbered = section.cases.iter().enumerate();
        let cases = numbered.map(|(number, case)| CaseOutcome::of(case, number, &rows, &section.goals)).collect();
        let direct = rows.iter().filter_map(|row| Some((row.contestant.name(), row.direct?))).collect();
        Self { key: section.key, title: section.title, cases, direct, skipped }
    }

    /// The verdicts of all cases.
    pub(crate) fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.cases.iter().flat_map(|case| &case.verdicts)
    }
}

impl CaseOutcome {
    fn of(case: &Case, number: usize, rows: &[Row], goals: &[Goal]) -> Self {
        let standing = |row: &Row| {
            let rounds = row.turns[number].clone();
            let middle = |metric: Metric| median(values(&rounds, metric).into_iter());
            let (rate, cost) = (middle(case.rate), middle(case.cost));
            Standing { name: row.contestant.name(), class: row.contestant.class(), rate, cost, rounds }
        };
        let standings: Vec<Standing> = rows.iter().map(standing).collect();
        let shown = |goal: &&Goal| goal.metric == case.rate || goal.metric == case.cost;
        let sized = |goal: &&Goal| goal.block.is_none_or(|block| block == case.load.block);
        let verdicts = goals.iter().filter(shown).filter(sized).filter_map(|goal| Verdict::on(goal, &standings));
        Self {
            name: case.name.clone(),
            load: case.load,
            rate: case.rate,
            cost: case.cost,
            verdicts: verdicts.collect(),
            standings,
        }
    }
}

impl Verdict {
    fn on(goal: &Goal, standings: &[Standing]) -> Option<Self> {
        let subject = standings.iter().find(|standing| standing.class == Class::Ours)?;
        let middle = |standing: &Standing| median(values(&standing.rounds, goal.metric).into_iter());
        let better = |a: &&Standing, b: &&Standing| {
            let order = middle(a).total_cmp(&middle(b));
            if goal.metric.more_is_better() { order } else { order.reverse() }
        };
        let other = match goal.against {
            Against::One(contestant) => standings.iter().find(|standing| standing.name == contestant.name()),
            Against::BestPlain => standings.iter().filter(|standing| standing.class == Class::Plain).max_by(better),
        }?;
        let pairs = values(&subject.rounds, goal.metric).into_iter().zip(values(&other.rounds, goal.metric));
        let ratio = median(pairs.map(|(ours, theirs)| ours / theirs));
        Some(Self {
            metric: goal.metric,
            against: other.name,
            is_best: goal.against == Against::BestPlain,
            ratio,
            target: goal.target(),
            met: goal.is_met(ratio),
        })
    }
}

fn values(rounds: &[Turn], metric: Metric) -> Vec<f64> {
    rounds.iter().map(|turn| metric.of(&turn.tally, turn.cpu_s)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contestant::Contestant;
    use crate::fio::Tally;

    fn standing(contestant: Contestant, iops: &[f64]) -> Standing {
        let turn = |iops: &f64| {
            let tally = Tally { operations: 1.0, bytes: 1.0, iops: *iops, bytes_per_s: 1.0, mean_ns: 1e9 / iops };
            Turn { tally, cpu_s: 1.0 / iops }
        };
        let rounds: Vec<Turn> = iops.iter().map(turn).collect();
        Standing { name: contestant.name(), class: contestant.class(), rate: f64::NAN, cost: f64::NAN, rounds }
    }

    fn goal(metric: Metric, against: Against, limit: f64) -> Goal {
        Goal { metric, block: None, against, limit }
    }

    #[test]
    fn the_ratio_is_the_median_of_each_rounds_ratio_not_the_ratio_of_the_medians() {
        // The machine slows down by turns: both alike, so the ratio stays.
        let all = [standing(Contestant::Sear, &[8.0, 2.0, 4.0]), standing(Contestant::NbdkitFile, &[4.0, 1.0, 1.0])];
        let verdict = |limit| Verdict::on(&goal(Metric::Iops, Against::One(Contestant::NbdkitFile), limit), &all);
        let verdict = |limit| verdict(limit).map(|verdict| (verdict.ratio, verdict.met));
        assert_eq!(verdict(2.0), Some((2.0, true)));
        assert_eq!(verdict(2.1), Some((2.0, false)));
    }

    #[test]
    fn the_best_plain_peer_is_the_fastest_or_the_cheapest_and_no_yardstick_and_none_that_encrypts() {
        let all = [
            standing(Contestant::Sear, &[4.0]),
            standing(Contestant::NbdkitNull, &[64.0]),
            standing(Contestant::SearPlain, &[32.0]),
            standing(Contestant::NbdkitLuks, &[16.0]),
            standing(Contestant::NbdkitFile, &[8.0]),
            standing(Contestant::NbdServer, &[2.0]),
        ];
        for (metric, ratio) in [(Metric::Iops, 0.5), (Metric::LatencyUs, 2.0), (Metric::CpuUsPerOp, 2.0)] {
            let verdict = Verdict::on(&goal(metric, Against::BestPlain, 1.0), &all).unwrap();
            assert_eq!(
                (verdict.against, verdict.ratio, verdict.is_best, verdict.met),
                ("nbdkit file", ratio, true, false)
            );
        }
    }

    #[test]
    fn a_goal_about_somebody_who_did_not_take_part_gives_no_verdict() {
        let goal = goal(Metric::Iops, Against::One(Contestant::NbdkitFile), 1.0);
        assert_eq!(Verdict::on(&goal, &[standing(Contestant::Sear, &[1.0])]), None);
        assert_eq!(Verdict::on(&goal, &[standing(Contestant::NbdkitFile, &[1.0])]), None);
    }
}
