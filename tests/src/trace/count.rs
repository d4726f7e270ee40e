//! How many instructions a call takes.

use crate::probe::{Job, Secret};

use super::tracee::Tracee;

/// The number of instructions of one call, without those that stop the program.
///
/// # Panics
/// When the program cannot be traced.
#[must_use]
pub fn count(job: Job) -> u64 {
    raw(job) - raw(Job::NOTHING)
}

fn raw(job: Job) -> u64 {
    let mut steps = 0;
    let mut tracee = Tracee::spawn(job, &Secret::SEVERAL[..1]);
    tracee.walk(|_| steps += 1);
    tracee.finish();
    steps
}
