//! `compare-nbd`: Sear's NBD server beside other servers, every one a process of its own, in one interleaved run.
#![forbid(unsafe_code)]

mod contestant;
mod fio;
mod host;
mod judge;
mod profile;
mod programs;
mod report;
mod run;
mod section;

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use sear_benches::awake::Awake;
use sear_benches::machine::Machine;
use sear_benches::record;
use sear_benches::shuffle::Shuffle;

use contestant::Ours;
use host::cores::Sides;
use judge::Outcome;
use report::Report;
use run::{Pace, Setup};
use section::{Key, Section};

/// Measures Sear's NBD server beside nbdkit, nbd-server and QEMU, with fio as the client: operations per second,
/// throughput, latency, and the server's processor time. Who is not installed is left out. Needs root for the FUSE
/// section, and for TLS.
#[derive(Parser)]
#[command(name = "compare-nbd")]
struct Arguments {
    /// Rounds; in each, everybody has one turn with every load
    #[arg(long, default_value_t = 5, value_name = "N")]
    rounds: usize,
    /// Length of a turn in milliseconds
    #[arg(long, default_value_t = 3000, value_name = "MS")]
    turn: u64,
    /// Size of the images in MiB; more than the processor's caches hold
    #[arg(long, default_value_t = 1024, value_name = "MIB", value_parser = clap::value_parser!(u64).range(64..))]
    size: u64,
    /// One round of 300 ms over images of 128 MiB: to see that it works, not for numbers
    #[arg(long, conflicts_with_all = ["rounds", "turn", "size"])]
    quick: bool,
    /// Only this section; may be given several times
    #[arg(long = "section", value_name = "NAME")]
    sections: Vec<Key>,
    /// Write tables, plots and JSON to `DIR/<processor>/<date>/nbd`
    #[arg(long, value_name = "DIR", requires = "date")]
    record: Option<PathBuf>,
    /// The day to record
    #[arg(long, value_name = "YYYY-MM-DD", requires = "record")]
    date: Option<String>,
    /// The command `sear`; without it, the one beside this program
    #[arg(long, value_name = "FILE")]
    sear: Option<PathBuf>,
    /// The example `nbd_serve`, for Sear without the cipher; without it, the one beside this program
    #[arg(long, value_name = "FILE")]
    plain: Option<PathBuf>,
    /// Where the images in memory are: a tmpfs
    #[arg(long, default_value = "/dev/shm", value_name = "DIR")]
    memory: PathBuf,
    /// Where the images on a disk are
    #[arg(long, default_value = "target", value_name = "DIR")]
    disk: PathBuf,
    /// Measure nothing; record where `sear up` spends its time under reads and writes of 4 KiB and 1 MiB, as flame graphs in DIR
    #[arg(long, value_name = "DIR", conflicts_with_all = ["record", "sections"])]
    profile: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let (rounds, turn, size) =
        if arguments.quick { (1, 300, 128) } else { (arguments.rounds.max(1), arguments.turn, arguments.size) };
    let setup = Setup {
        sides: Sides::of_this_machine()?,
        ours: Ours::find(arguments.sear, arguments.plain),
        memory: &arguments.memory,
        disk: &arguments.disk,
        image_len: size << 20,
        pace: Pace { rounds, turn: Duration::from_millis(turn) },
    };
    if let Some(folder) = &arguments.profile {
        return profile::record(&setup, folder);
    }
    let report = measure(&setup, &arguments.sections, arguments.date.unwrap_or_default())?;
    println!("{report}");
    if let Some(root) = &arguments.record {
        println!("recorded in {}", report.write(root)?.display());
    }
    Ok(())
}

fn measure(setup: &Setup<'_>, keys: &[Key], date: String) -> Result<Report, Box<dyn Error>> {
    let awake = Awake::ask();
    let mut shuffle = Shuffle::new();
    let mut sections = Vec::new();
    for section in Section::all(keys) {
        sections.push(Outcome::of(run::run(section, setup, &mut shuffle)?));
    }
    Ok(Report {
        date,
        commit: record::commit()?,
        machine: Machine::this(),
        idle: awake.describe(),
        programs: programs::versions(&setup.ours),
        rounds: setup.pace.rounds,
        turn_ms: setup.pace.turn.as_millis(),
        image_len: setup.image_len,
        sections,
    })
}
