//! How fast the cipher is on this machine, beside the block cipher alone. Measures; prints nothing.

mod plan;
mod round;
mod summary;

use std::io;
use std::time::Duration;

use datapath::cipher::Cipher;
use datapath::cipher::ceiling::Ceiling;
use keywrap::keys::VolumeKey;

pub(crate) use plan::{Case, Plan, engine};
pub(crate) use summary::Throughput;

/// Rounds that count, and one before them in which the processor and its caches get warm.
const ROUNDS: usize = 9;

/// Measures one case in about `budget`. Every round runs the cipher and its ceiling one right after the other, so that
/// whatever else the machine does in that moment slows both.
///
/// # Errors
/// When a thread cannot be started.
pub(crate) fn measure(case: Case, key: &VolumeKey, budget: Duration) -> io::Result<Throughput> {
    let slice = budget.div_f64(2.0 * (ROUNDS + 1) as f64);
    let pair = round::Pair { cipher: Cipher::new(key, case.engine), ceiling: Ceiling::new(key, case.engine), case };
    let rounds = round::run(&pair, ROUNDS + 1, slice)?;
    Ok(Throughput::of(rounds.get(1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use datapath::cipher::dispatch::Engine;

    use super::*;

    #[test]
    fn one_case_gives_two_speeds_above_nothing_on_one_thread_and_on_several() {
        let key = VolumeKey::random().unwrap();
        let plan = Plan { engines: vec![Engine::portable()], threads: vec![1, 3], ..Plan::default() };
        for case in plan.cases() {
            let measured = measure(case, &key, Duration::from_millis(5)).unwrap();
            assert!(measured.gbps > 0.0 && measured.gbps.is_finite());
            assert!(measured.ceiling_ratio > 0.0 && measured.ceiling_ratio.is_finite());
        }
    }
}
