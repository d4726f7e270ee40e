//! Far more bytes than the caches hold: there the memory is the limit, and the yardstick.

use datapath::cipher::Direction;
use keywrap::geometry::SectorSize;

use super::contestants::Job;
use super::{Plan, Setup, case, goal, shapes};
use crate::harness::Race;
use crate::peers;
use crate::yardstick;

/// Bytes of a pass; several threads share them.
pub(super) const LEN: usize = 256 << 20;

pub(super) fn add(setup: &Setup, plan: &mut Plan) {
    for race in [in_place, copy] {
        for lanes in 1..=setup.cores.min(2) {
            plan.races.extend(shapes().map(|(unit, direction)| race(setup, unit, direction, lanes)));
        }
    }
    if setup.cores < 2 {
        plan.skipped.push("DRAM on two threads: this process may use one core only".to_owned());
    }
}

fn in_place(setup: &Setup, unit: SectorSize, direction: Direction, lanes: usize) -> Race {
    let job = Job { lanes, ..Job::new(unit, direction) };
    let mut contestants = vec![job.sear(&setup.key, setup.subject)];
    contestants.extend(peers::C_LIBRARIES.map(|maker| job.peer(&setup.key, maker)));
    contestants.extend(yardstick::in_place(lanes));
    // The same shape as ours is one stream from front to back; two streams at once are shown beside it.
    let subject = setup.subject.to_string();
    let mut goals = vec![goal(&subject, &[yardstick::WORDS], Some(0.95))];
    goals.extend(yardstick::TWO_STREAMS.map(|name| goal(&subject, &[name], None)));
    let case = with_threads(unit, direction, lanes);
    Race { scenario: "256 MiB in DRAM, in place".to_owned(), case, bytes: LEN, contestants, goals }
}

fn copy(setup: &Setup, unit: SectorSize, direction: Direction, lanes: usize) -> Race {
    let job = Job { lanes, copy: true, ..Job::new(unit, direction) };
    let mut contestants = vec![job.sear(&setup.key, setup.subject)];
    contestants.extend(peers::C_LIBRARIES.map(|maker| job.peer(&setup.key, maker)));
    contestants.push(yardstick::memcpy(lanes));
    // Two threads that copy fill the memory's bandwidth whichever way they store, so only one has a target.
    let at_least = (lanes == 1).then_some(1.2);
    let subject = setup.subject.to_string();
    let mut goals = vec![goal(&subject, &[yardstick::MEMCPY], at_least)];
    if let Some(best) = yardstick::streaming_copy(lanes) {
        contestants.push(best);
        goals.push(goal(&subject, &[yardstick::STREAMING_COPY], None));
    }
    let case = with_threads(unit, direction, lanes);
    Race { scenario: "256 MiB in DRAM, source to destination".to_owned(), case, bytes: LEN, contestants, goals }
}

fn with_threads(unit: SectorSize, direction: Direction, lanes: usize) -> String {
    let threads = if lanes == 1 { "1 thread".to_owned() } else { format!("{lanes} threads") };
    format!("{}, {threads}", case(unit, direction))
}
