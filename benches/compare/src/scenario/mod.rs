//! What is raced: one file per row of the table of targets.

mod bulk;
mod cached;
mod contestants;
mod dram;
mod narrow;

use std::sync::Arc;

use datapath::cipher::Direction;
use datapath::cipher::dispatch::Engine;
use keywrap::geometry::SectorSize;
use keywrap::keys::VolumeKey;

use crate::harness::{Goal, Race};

/// What every scenario needs to know.
pub(crate) struct Setup {
    /// The key of everyone.
    pub(crate) key: Arc<VolumeKey>,
    /// The engine that is compared with the peers.
    pub(crate) subject: Engine,
    /// Cores of this process.
    pub(crate) cores: usize,
}

/// The races of this machine, and a line for each that it cannot run.
#[derive(Default)]
pub(crate) struct Plan {
    /// To be run.
    pub(crate) races: Vec<Race>,
    /// Left out, and why.
    pub(crate) skipped: Vec<String>,
}

/// All scenarios.
#[must_use]
pub(crate) fn plan(setup: &Setup) -> Plan {
    let mut plan = Plan::default();
    for scenario in [cached::add, dram::add, narrow::add, bulk::add] {
        scenario(setup, &mut plan);
    }
    plan
}

/// Both directions with both data units of the targets.
fn shapes() -> impl Iterator<Item = (SectorSize, Direction)> {
    let units = [SectorSize::B4096, SectorSize::B512];
    units.into_iter().flat_map(|unit| [Direction::Encrypt, Direction::Decrypt].map(|direction| (unit, direction)))
}

/// "4096-byte units, encrypt".
fn case(unit: SectorSize, direction: Direction) -> String {
    let direction = match direction {
        Direction::Encrypt => "encrypt",
        Direction::Decrypt => "decrypt",
    };
    format!("{}-byte units, {direction}", unit.bytes())
}

/// `large` for 4096-byte units, `small` for others.
fn by_unit(unit: SectorSize, large: f64, small: f64) -> f64 {
    if unit == SectorSize::B4096 { large } else { small }
}

/// A goal of `subject` beside the best of `against`.
fn goal(subject: &str, against: &[&str], at_least: Option<f64>) -> Goal {
    Goal { subject: subject.to_owned(), against: against.iter().copied().map(String::from).collect(), at_least }
}
