//! One instruction at a time: what ran, and with what in the registers.

use datapath::cipher::dispatch::{Engine, EngineName};
use sear_tests::probe::{Job, Secret, Subject};
use sear_tests::trace::{Difference, Watch, difference, traces};

use super::jobs::{is_vector, runs, units};

#[test]
fn vector_engines_hold_the_same_in_every_register_whatever_the_secret() {
    for engine in engines().filter(|engine| is_vector(*engine)) {
        runs(engine).into_iter().for_each(|job| check(job, Watch::Registers));
    }
}

#[test]
fn the_other_engines_take_the_same_path_whatever_the_secret() {
    for engine in engines().filter(|engine| !is_vector(*engine)) {
        runs(engine).into_iter().for_each(|job| check(job, Watch::Path));
    }
}

#[test]
fn single_units_and_stealing_take_the_same_path_whatever_the_secret() {
    for engine in engines() {
        units(engine).into_iter().for_each(|job| check(job, Watch::Path));
    }
}

#[test]
fn the_call_of_nothing_is_the_same_to_the_last_register() {
    check(Job::NOTHING, Watch::Registers);
}

#[test]
fn a_branch_on_a_secret_is_seen() {
    let leak = Job { subject: Subject::BranchLeak, ..Job::NOTHING };
    assert!(first_difference(leak, Watch::Path).is_some());
}

#[test]
fn a_table_that_a_secret_is_the_index_of_is_seen_in_the_registers_alone() {
    let leak = Job { subject: Subject::TableLeak, ..Job::NOTHING };
    assert!(first_difference(leak, Watch::Registers).is_some());
    assert_eq!(first_difference(leak, Watch::Path), None);
}

fn engines() -> impl Iterator<Item = EngineName> {
    Engine::available().map(Engine::name)
}

fn check(job: Job, watch: Watch) {
    if let Some(difference) = first_difference(job, watch) {
        panic!("{job}: not the same for every secret, {difference}");
    }
}

/// Where the first of several secrets and another one part.
fn first_difference(job: Job, watch: Watch) -> Option<Difference> {
    let traces = traces(job, &Secret::SEVERAL);
    assert!(traces[0].states.len() > 20, "{job}: the tracer saw hardly anything");
    traces[1..].iter().find_map(|other| difference(&traces[0], other, watch))
}
