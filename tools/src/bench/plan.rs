//! What is measured: every engine with every data unit, direction and number of threads.

use std::thread;

use datapath::cipher::Direction;
use datapath::cipher::dispatch::{Engine, EngineName, NoEngine};
use datapath::cipher::features::Features;
use keywrap::geometry::SectorSize;

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    /// What computes.
    pub(crate) engine: Engine,
    /// The data unit.
    pub(crate) unit: SectorSize,
    /// Which way.
    pub(crate) direction: Direction,
    /// How many threads compute at once, each in a buffer of its own.
    pub(crate) threads: usize,
}

/// The cases to measure, as lists to combine.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The engines.
    pub(crate) engines: Vec<Engine>,
    /// The data units.
    pub(crate) units: Vec<SectorSize>,
    /// The numbers of threads.
    pub(crate) threads: Vec<usize>,
}

impl Default for Plan {
    /// Every engine that this machine can run, the units of old and of new volumes, one thread and one per core.
    fn default() -> Self {
        let engines = Engine::available().collect();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = if cores > 1 { vec![1, cores] } else { vec![1] };
        Self { engines, units: vec![SectorSize::B512, SectorSize::B4096], threads }
    }
}

impl Plan {
    /// Every combination, those with the same number of threads together.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for &threads in &self.threads {
            for &engine in &self.engines {
                for &unit in &self.units {
                    let both = [Direction::Encrypt, Direction::Decrypt];
                    cases.extend(both.map(|direction| Case { engine, unit, direction, threads }));
                }
            }
        }
        cases
    }
}

/// The engine called `asked`, for the option that asks for it.
///
/// # Errors
/// When there is no such engine, or this processor cannot run it.
pub(crate) fn engine(asked: &str) -> Result<Engine, NoEngine> {
    let (origin, features) = ("--engine", Features::detect());
    let name = EngineName::ALL.into_iter().find(|engine| engine.as_str() == asked);
    let name = name.ok_or_else(|| NoEngine::Unknown { origin, asked: asked.to_owned() })?;
    Engine::new(name, features).ok_or(NoEngine::Unsupported { origin, asked: name, features })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_makes_every_combination_once() {
        let plan = Plan {
            engines: Engine::available().collect(),
            units: vec![SectorSize::B512, SectorSize::B4096],
            threads: vec![1, 2, 5],
        };
        let cases = plan.cases();
        assert_eq!(cases.len(), plan.engines.len() * 2 * 2 * 3);
        for (at, case) in cases.iter().enumerate() {
            assert!(!cases[..at].contains(case), "twice: {case:?}");
        }
        assert!(cases.is_sorted_by_key(|case| case.threads), "cases with the same threads stay together");
    }

    #[test]
    fn by_default_every_engine_runs_on_one_thread_too() {
        let plan = Plan::default();
        assert_eq!(plan.engines, Engine::available().collect::<Vec<_>>());
        assert_eq!(plan.threads.first(), Some(&1));
        assert!(plan.threads.is_sorted_by(|fewer, more| fewer < more), "{:?}", plan.threads);
    }

    #[test]
    fn an_engine_that_does_not_exist_is_refused_with_the_names_that_do() {
        assert_eq!(engine("portable"), Ok(Engine::portable()));
        let error = engine("vaes9000").unwrap_err().to_string();
        assert!(error.starts_with("--engine asks for the cipher engine \"vaes9000\", which does not exist"), "{error}");
        assert!(error.contains("portable, xts-mode"), "{error}");
    }
}
