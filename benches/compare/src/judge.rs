//! From rates to medians, ratios and verdicts.

use sear_benches::stats::median;
use serde::Serialize;

use crate::harness::{Goal, Race, Run};

/// What a race showed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Outcome {
    /// The section of the report.
    pub(crate) scenario: String,
    /// The race in it.
    pub(crate) case: String,
    /// Bytes of one pass.
    pub(crate) bytes: usize,
    /// By contestant.
    pub(crate) rates: Vec<Rate>,
    /// By goal; a goal whose contestants do not exist on this machine has none.
    pub(crate) verdicts: Vec<Verdict>,
}

/// How fast a contestant was.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rate {
    /// Who.
    pub(crate) name: String,
    /// The median over the rounds, in 10^9 bytes per second.
    pub(crate) gb_per_s: f64,
    /// Every round's.
    pub(crate) rounds: Vec<f64>,
}

/// A ratio beside its target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Verdict {
    /// Whose rate.
    pub(crate) subject: String,
    /// Beside whose: of several, the one with the highest median.
    pub(crate) against: String,
    /// Of how many it was the best.
    pub(crate) best_of: usize,
    /// The median of the ratios of each round.
    pub(crate) ratio: f64,
    /// The least ratio, when there is a target.
    pub(crate) at_least: Option<f64>,
    /// Whether the ratio reaches the target.
    pub(crate) met: Option<bool>,
}

impl Outcome {
    /// The outcome of a race.
    #[must_use]
    pub(crate) fn of(run: Run) -> Self {
        let Race { scenario, case, bytes, contestants, goals } = run.race;
        let rate = |(name, rounds): (String, Vec<f64>)| Rate { name, gb_per_s: median(rounds.iter().copied()), rounds };
        let rates: Vec<Rate> = contestants.into_iter().map(|who| who.name).zip(run.rates).map(rate).collect();
        let verdicts = goals.iter().filter_map(|goal| Verdict::on(goal, &rates)).collect();
        Self { scenario, case, bytes, rates, verdicts }
    }
}

impl Verdict {
    fn on(goal: &Goal, rates: &[Rate]) -> Option<Self> {
        let named = |name: &String| rates.iter().find(|rate| rate.name == *name);
        let subject = named(&goal.subject)?;
        let others: Vec<&Rate> = goal.against.iter().filter_map(named).collect();
        let best = others.iter().max_by(|a, b| a.gb_per_s.total_cmp(&b.gb_per_s))?;
        let ratio = median(subject.rounds.iter().zip(&best.rounds).map(|(subject, other)| subject / other));
        Some(Self {
            subject: goal.subject.clone(),
            against: best.name.clone(),
            best_of: others.len(),
            ratio,
            at_least: goal.at_least,
            met: goal.at_least.map(|least| ratio >= least),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(name: &str, rounds: &[f64]) -> Rate {
        Rate { name: name.into(), gb_per_s: median(rounds.iter().copied()), rounds: rounds.to_vec() }
    }

    fn goal(against: &[&str], at_least: Option<f64>) -> Goal {
        Goal { subject: "ours".into(), against: against.iter().copied().map(String::from).collect(), at_least }
    }

    #[test]
    fn the_ratio_is_the_median_of_each_rounds_ratio_not_the_ratio_of_the_medians() {
        // The machine slows down by turns: both contestants alike, so the ratio stays.
        let rates = [rate("ours", &[8.0, 2.0, 4.0]), rate("theirs", &[4.0, 1.0, 1.0])];
        let verdict = Verdict::on(&goal(&["theirs"], Some(2.0)), &rates).unwrap();
        assert_eq!((verdict.ratio, verdict.met), (2.0, Some(true)));
        let verdict = Verdict::on(&goal(&["theirs"], Some(2.1)), &rates).unwrap();
        assert_eq!(verdict.met, Some(false));
    }

    #[test]
    fn of_several_the_one_with_the_best_median_counts() {
        let rates = [rate("ours", &[8.0; 3]), rate("slow", &[1.0, 1.0, 16.0]), rate("fast", &[4.0; 3])];
        let verdict = Verdict::on(&goal(&["slow", "fast"], None), &rates).unwrap();
        assert_eq!((verdict.against.as_str(), verdict.ratio, verdict.met), ("fast", 2.0, None));
    }

    #[test]
    fn a_goal_about_somebody_who_is_not_here_gives_no_verdict() {
        assert_eq!(Verdict::on(&goal(&["theirs"], None), &[rate("ours", &[1.0])]), None);
        assert_eq!(Verdict::on(&goal(&["theirs"], None), &[rate("theirs", &[1.0])]), None);
    }
}
