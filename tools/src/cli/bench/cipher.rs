//! `sear bench cipher`

use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use datapath::cipher::Direction;
use datapath::cipher::dispatch::Engine;
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;
use serde::Serialize;

use super::chart::Chart;
use super::style::Style;
use crate::bench::{self, Case, Plan, Throughput};
use crate::error::Error;
use crate::parse;
use crate::ui::Ui;

/// More threads than any machine has cores; each has a stack and a buffer.
const MAX_THREADS: u64 = 1024;

#[derive(Args, Debug)]
pub(crate) struct BenchCipher {
    /// Measure this engine only, as `sear doctor` names it; repeatable
    #[arg(long, value_name = "NAME")]
    engine: Vec<String>,
    /// Measure this data unit only: 512, 1024, 2048 or 4096 bytes; repeatable [default: 512 and 4096]
    #[arg(long, value_name = "BYTES", value_parser = parse::sector_size)]
    unit: Vec<SectorSize>,
    /// Measure with this many threads only; repeatable [default: 1, and one for each core]
    #[arg(long, value_name = "COUNT", value_parser = RangedU64ValueParser::<usize>::new().range(1..=MAX_THREADS))]
    threads: Vec<usize>,
    /// Take about this long for everything
    #[arg(long, value_name = "SECONDS", default_value = "6", value_parser = parse::seconds)]
    seconds: Duration,
}

/// One line of the result, as `--json` prints it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Row {
    pub(super) engine: &'static str,
    pub(super) unit: u32,
    pub(super) direction: &'static str,
    pub(super) threads: usize,
    pub(super) gbps: f64,
    pub(super) ceiling_ratio: f64,
}

impl Row {
    fn new(case: Case, measured: Throughput) -> Self {
        Self {
            engine: case.engine.name().as_str(),
            unit: case.unit.bytes(),
            direction: name_of(case.direction),
            threads: case.threads,
            gbps: measured.gbps,
            ceiling_ratio: measured.ceiling_ratio,
        }
    }
}

const fn name_of(direction: Direction) -> &'static str {
    match direction {
        Direction::Encrypt => "encrypt",
        Direction::Decrypt => "decrypt",
    }
}

impl BenchCipher {
    /// Measures one case after the other, under a random key that is wiped at the end.
    pub(super) fn run(self, ui: Ui) -> Result<(), Error> {
        let plan = self.plan()?;
        if cfg!(debug_assertions) {
            tracing::warn!(
                "this is a debug build, several times slower than a release build; do not quote its numbers"
            );
        }
        let cases = plan.cases();
        let budget = self.seconds.div_f64(cases.len().max(1) as f64);
        let key = VolumeKey::random().map_err(Error::NoKey)?;
        let progress = ui.spinner("measuring");
        let mut rows = Vec::with_capacity(cases.len());
        for (at, &case) in cases.iter().enumerate() {
            progress.set_message(format!("measuring {}, {} of {}", case.engine, at + 1, cases.len()));
            rows.push(Row::new(case, bench::measure(case, &key, budget).map_err(Error::Threads)?));
        }
        progress.finish_and_clear();
        ui.answer(&Chart::new(rows, Style::of_stdout()))
    }

    /// Everything, or only what the options name; each once, however often it is named.
    fn plan(&self) -> Result<Plan, Error> {
        let mut plan = Plan::default();
        let named: Vec<Engine> = self.engine.iter().map(|name| bench::engine(name)).collect::<Result<_, _>>()?;
        choose(&mut plan.engines, &named);
        choose(&mut plan.units, &self.unit);
        choose(&mut plan.threads, &self.threads);
        Ok(plan)
    }
}

fn choose<T: Copy + PartialEq>(all: &mut Vec<T>, named: &[T]) {
    if !named.is_empty() {
        all.clear();
    }
    for &one in named {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_takes_the_place_of_everything_and_counts_once() {
        for (named, chosen) in [(&[][..], &[1, 2, 3][..]), (&[3], &[3]), (&[9, 2, 9], &[9, 2])] {
            let mut all = vec![1, 2, 3];
            choose(&mut all, named);
            assert_eq!(all, chosen);
        }
    }
}
