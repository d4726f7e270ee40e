//! In the first cache, one thread, both directions: runs of 16 and of 32 KiB, and one call per 4096 bytes.

use datapath::cipher::Direction;
use datapath::cipher::dispatch::{Engine, EngineName};
use keywrap::geometry::SectorSize;

use super::contestants::{Job, ceiling_of};
use super::{Plan, Setup, by_unit, case, goal, shapes};
use crate::harness::{Contestant, Goal, Race};
use crate::peers::{self, AWS_LC, OPENSSL, XTS_MODE};

/// Bytes of a run. With tweaks and round keys the first fits into every first-level cache, the second into those of 48 KiB
/// that processors with VAES-512 have; it is less about how a call begins and ends.
const RUNS: [usize; 2] = [16 << 10, 32 << 10];
/// Bytes of a single call, the smallest request of most filesystems.
const CALL: usize = 4096;

pub(super) fn add(setup: &Setup, plan: &mut Plan) {
    for bytes in RUNS {
        plan.races.extend(shapes().map(|(unit, direction)| runs(setup, unit, direction, bytes)));
    }
    plan.races.extend(shapes().map(|(unit, direction)| calls(setup, unit, direction)));
}

fn runs(setup: &Setup, unit: SectorSize, direction: Direction, bytes: usize) -> Race {
    let Setup { key, subject, .. } = setup;
    let job = Job::new(unit, direction);
    let mut contestants = ours(setup, job);
    contestants.push(job.ceiling(key, *subject));
    contestants.extend(peers::ALL.map(|maker| job.peer(key, maker)));
    let case = case(unit, direction);
    Race {
        scenario: format!("Runs of {} KiB in cache, one thread", bytes >> 10),
        case,
        bytes,
        contestants,
        goals: goals(*subject, unit),
    }
}

fn goals(subject: Engine, unit: SectorSize) -> Vec<Goal> {
    let name = subject.to_string();
    let mut goals = vec![
        goal(&name, &[&ceiling_of(subject)], Some(by_unit(unit, 0.92, 0.88))),
        goal(&name, &[AWS_LC.name, OPENSSL.name], Some(by_unit(unit, 1.5, 3.2))),
    ];
    let xts_mode = (unit == SectorSize::B4096).then_some(20.0);
    goals.push(goal(&name, &[XTS_MODE.name], xts_mode));
    goals
}

fn calls(setup: &Setup, unit: SectorSize, direction: Direction) -> Race {
    let job = Job { call: Some(CALL), ..Job::new(unit, direction) };
    let mut contestants = ours(setup, job);
    contestants.extend(peers::C_LIBRARIES.map(|maker| job.peer(&setup.key, maker)));
    let subject = setup.subject.to_string();
    let goals = vec![goal(&subject, &[AWS_LC.name, OPENSSL.name], Some(by_unit(unit, 1.25, 2.7)))];
    let case = case(unit, direction);
    Race {
        scenario: "One call per 4096 bytes in cache, one thread".to_owned(),
        case,
        bytes: RUNS[0],
        contestants,
        goals,
    }
}

/// The subject, and the portable engine beside it.
fn ours(setup: &Setup, job: Job) -> Vec<Contestant> {
    let mut ours = vec![job.sear(&setup.key, setup.subject)];
    if setup.subject.name() != EngineName::Portable {
        ours.push(job.sear(&setup.key, Engine::portable()));
    }
    ours
}
