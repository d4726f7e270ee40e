//! What a number means, and what Sear's is meant to be beside another's.

use serde::Serialize;

use crate::contestant::Contestant;
use crate::fio::Tally;

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    /// Operations per second.
    Iops,
    /// 10^6 bytes per second.
    MbPerS,
    /// Mean time of one operation, in microseconds.
    LatencyUs,
    /// The server's processor time per operation, in microseconds.
    CpuUsPerOp,
    /// The server's processor time per GiB, in milliseconds.
    CpuMsPerGib,
}

impl Metric {
    /// Its value in one turn in which the server used `cpu_s` seconds of processor time.
    pub(crate) fn of(self, tally: &Tally, cpu_s: f64) -> f64 {
        match self {
            Self::Iops => tally.iops,
            Self::MbPerS => tally.bytes_per_s / 1e6,
            Self::LatencyUs => tally.mean_ns / 1e3,
            Self::CpuUsPerOp => cpu_s * 1e6 / tally.operations,
            Self::CpuMsPerGib => cpu_s * 1e3 / (tally.bytes / f64::from(1 << 30)),
        }
    }

    /// Whether more of it is better.
    pub(crate) const fn more_is_better(self) -> bool {
        matches!(self, Self::Iops | Self::MbPerS)
    }

    /// With its unit, for the head of a table.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Iops => "IOPS",
            Self::MbPerS => "MB/s",
            Self::LatencyUs => "latency, µs",
            Self::CpuUsPerOp => "server CPU per operation, µs",
            Self::CpuMsPerGib => "server CPU per GiB, ms",
        }
    }

    /// A value with as many digits as it has meaning.
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Iops | Self::MbPerS | Self::CpuMsPerGib => format!("{value:.0}"),
            Self::LatencyUs | Self::CpuUsPerOp => format!("{value:.2}"),
        }
    }
}

/// Whose value Sear's is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// This one's.
    One(Contestant),
    /// The best of the peers that serve plaintext.
    BestPlain,
}

/// A limit for the ratio of Sear's value to another's: the least where more is better, else the most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// What is looked at: holds for the cases that show it.
    pub(crate) metric: Metric,
    /// Only for operations of this many bytes, if given.
    pub(crate) block: Option<u64>,
    /// Beside whom.
    pub(crate) against: Against,
    /// The limit.
    pub(crate) limit: f64,
}

impl Goal {
    /// Whether a ratio is within the limit.
    pub(crate) fn is_met(&self, ratio: f64) -> bool {
        if self.metric.more_is_better() { ratio >= self.limit } else { ratio <= self.limit }
    }

    /// As it stands in a table.
    pub(crate) fn target(&self) -> String {
        format!("{} {:.2}", if self.metric.more_is_better() { "≥" } else { "≤" }, self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_time_is_divided_by_what_was_done() {
        let tally =
            Tally { operations: 2000.0, bytes: 2_f64.powi(31), iops: 1000.0, bytes_per_s: 5e8, mean_ns: 8500.0 };
        let values = [Metric::Iops, Metric::MbPerS, Metric::LatencyUs, Metric::CpuUsPerOp, Metric::CpuMsPerGib];
        assert_eq!(values.map(|metric| metric.of(&tally, 0.5)), [1000.0, 500.0, 8.5, 250.0, 250.0]);
    }

    #[test]
    fn a_rate_must_not_be_below_its_limit_and_a_cost_not_above() {
        let goal = |metric| Goal { metric, block: None, against: Against::BestPlain, limit: 1.5 };
        assert_eq!([1.4, 1.5, 1.6].map(|ratio| goal(Metric::Iops).is_met(ratio)), [false, true, true]);
        assert_eq!([1.4, 1.5, 1.6].map(|ratio| goal(Metric::CpuUsPerOp).is_met(ratio)), [true, true, false]);
        assert_eq!(goal(Metric::LatencyUs).target(), "≤ 1.50");
    }
}
