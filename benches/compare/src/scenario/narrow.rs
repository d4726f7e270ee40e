//! The engines for processors without 512-bit AES, each beside the ceiling of its own registers.

use datapath::cipher::dispatch::{Engine, EngineName};
use datapath::cipher::features::Features;

use super::contestants::{Job, ceiling_of};
use super::{Plan, Setup, case, goal, shapes};
use crate::harness::Race;

const RUN: usize = 16 << 10;

pub(super) fn add(setup: &Setup, plan: &mut Plan) {
    for name in [EngineName::Vaes256, EngineName::AesNi] {
        match Engine::new(name, Features::detect()) {
            Some(engine) => plan.races.extend(races(setup, engine)),
            None => plan.skipped.push(format!("{name} beside its ceiling: this machine does not have the engine")),
        }
    }
}

fn races(setup: &Setup, engine: Engine) -> impl Iterator<Item = Race> {
    shapes().map(move |(unit, direction)| {
        let job = Job::new(unit, direction);
        Race {
            scenario: format!("The engine {engine}, runs of 16 KiB in cache, one thread"),
            case: case(unit, direction),
            bytes: RUN,
            contestants: vec![job.sear(&setup.key, engine), job.ceiling(&setup.key, engine)],
            goals: vec![goal(&engine.to_string(), &[&ceiling_of(engine)], Some(0.9))],
        }
    })
}
