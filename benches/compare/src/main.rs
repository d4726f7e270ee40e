//! `compare-cipher`: Sear's AES-XTS engines beside their ceiling, their peers and the memory, in one interleaved run.

mod cores;
mod harness;
mod judge;
mod peers;
mod report;
mod scenario;
mod verify;
mod yardstick;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use datapath::cipher::dispatch::{self, Engine};
use keywrap::keys::VolumeKey;
use sear_benches::machine::Machine;
use sear_benches::record;

use cores::Cores;
use harness::Pace;
use judge::Outcome;
use report::Report;
use scenario::{Plan, Setup};

/// Measures Sear's AES-256-XTS engines beside AWS-LC, OpenSSL and xts-mode, beside AES-ECB in the same registers, and
/// beside loops that only touch memory.
#[derive(Parser)]
#[command(name = "compare-cipher")]
struct Arguments {
    /// Rounds; in each, everybody has one turn
    #[arg(long, default_value_t = 11, value_name = "N")]
    rounds: usize,
    /// Length of a turn in milliseconds
    #[arg(long, default_value_t = 5, value_name = "MS")]
    turn: u64,
    /// Three rounds of 1 ms: to see that it works, not for numbers
    #[arg(long, conflicts_with_all = ["rounds", "turn", "record"])]
    quick: bool,
    /// The engine to compare; without it, the best one of this machine
    #[arg(long, value_name = "NAME")]
    engine: Option<String>,
    /// Only the sections whose title contains this
    #[arg(long, value_name = "TEXT", conflicts_with = "record")]
    only: Option<String>,
    /// Write README.md and results.json to DIR/<processor>/<date>/cipher
    #[arg(long, value_name = "DIR", requires = "date")]
    record: Option<PathBuf>,
    /// The day to record
    #[arg(long, value_name = "YYYY-MM-DD", requires = "record")]
    date: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let key = Arc::new(VolumeKey::random()?);
    let subject = dispatch::choose(arguments.engine.as_deref())?.engine;
    let cores = Arc::new(Cores::of_this_process());
    two_workers(&cores)?;
    verify::everybody(&key)?;
    let mut plan = scenario::plan(&Setup { key, subject, cores: cores.count() });
    if let Some(only) = &arguments.only {
        plan.races.retain(|race| race.scenario.contains(only.as_str()));
    }
    let report = race(&arguments, subject, plan, &cores)?;
    println!("{report}");
    if let Some(root) = &arguments.record {
        println!("recorded in {}", report.write(root)?.display());
    }
    Ok(())
}

fn race(arguments: &Arguments, subject: Engine, plan: Plan, cores: &Cores) -> Result<Report, Box<dyn Error>> {
    let (rounds, turn) = if arguments.quick { (3, 1) } else { (arguments.rounds.max(1), arguments.turn) };
    let pace = Pace { rounds, turn: Duration::from_millis(turn) };
    let runs = harness::run(plan.races, pace, cores);
    Ok(Report {
        date: arguments.date.clone().unwrap_or_default(),
        commit: record::commit()?,
        machine: Machine::this(),
        engine: subject.to_string(),
        peers: peers::ALL.map(|peer| (peer.version)()).to_vec(),
        rounds,
        turn_ms: pace.turn.as_millis(),
        skipped: plan.skipped,
        outcomes: runs.into_iter().map(Outcome::of).collect(),
    })
}

/// Rayon's pool has one thread on each of two cores, for that is what the targets speak of.
fn two_workers(cores: &Arc<Cores>) -> Result<(), rayon::ThreadPoolBuildError> {
    let cores = Arc::clone(cores);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(cores.count().min(2));
    pool.start_handler(move |worker| cores.pin(worker)).build_global()
}
