//! Long runs on two cores through rayon, and what the same call costs when the run is short.

use datapath::cipher::Direction;
use keywrap::geometry::SectorSize;

use super::contestants::Job;
use super::{Plan, Setup, case, dram, goal};
use crate::harness::{Contestant, Race};
use crate::yardstick;

/// Runs that the caches of two cores hold.
const CACHED: [usize; 6] = [512 << 10, 1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20];
/// From here on the target holds; below, what it costs to start a second core is shown.
const LARGE: usize = 8 << 20;
/// A request of one page.
const SMALL: usize = 4096;
const BULK: &str = "bulk";
const FROM_OUTSIDE: &str = "bulk from outside of the pool";
const UNITS: [SectorSize; 2] = [SectorSize::B4096, SectorSize::B512];

pub(super) fn add(setup: &Setup, plan: &mut Plan) {
    for unit in UNITS {
        // The call may take 1.05 times as long.
        plan.races.push(beside_one_core(setup, unit, SMALL, Some(1.0 / 1.05)));
    }
    if setup.cores < 2 {
        plan.skipped.push("bulk on two cores: this process may use one core only".to_owned());
        return;
    }
    for unit in UNITS {
        plan.races.extend(CACHED.map(|bytes| beside_one_core(setup, unit, bytes, (bytes >= LARGE).then_some(1.9))));
    }
    plan.races.extend(UNITS.map(|unit| beside_memory(setup, unit)));
}

/// `bulk`, called by a thread of the pool and by one that has to wake it.
fn both_ways(setup: &Setup, job: Job) -> [Contestant; 2] {
    let within = Contestant { pooled: true, ..job.bulk(&setup.key, setup.subject, BULK) };
    [within, job.bulk(&setup.key, setup.subject, FROM_OUTSIDE)]
}

fn beside_one_core(setup: &Setup, unit: SectorSize, bytes: usize, at_least: Option<f64>) -> Race {
    let job = Job::new(unit, Direction::Encrypt);
    let mut contestants = vec![job.sear(&setup.key, setup.subject)];
    contestants.extend(both_ways(setup, job));
    let subject = setup.subject.to_string();
    Race {
        scenario: "Bulk on two cores".to_owned(),
        case: format!("{}, {} KiB", case(unit, job.direction), bytes >> 10),
        bytes,
        contestants,
        goals: vec![goal(BULK, &[&subject], at_least), goal(FROM_OUTSIDE, &[&subject], None)],
    }
}

fn beside_memory(setup: &Setup, unit: SectorSize) -> Race {
    let job = Job::new(unit, Direction::Encrypt);
    let mut contestants: Vec<Contestant> = both_ways(setup, job).into();
    contestants.extend(yardstick::in_place(2));
    Race {
        scenario: "Bulk on two cores, 256 MiB in DRAM, beside a loop on two threads".to_owned(),
        case: case(unit, job.direction),
        bytes: dram::LEN,
        contestants,
        goals: vec![goal(BULK, &[yardstick::WORDS], Some(0.95))],
    }
}
