//! Measures, in a virtual machine with Debian's kernel, what a guest gets from `sear up --vhost-user` beside QEMU's own
//! vhost-user export, and from `sear up --ublk` beside a plain ublk server, a loop device and dm-crypt.
//!
//! The machine is emulated: guest figures are good for ratios only, and what the emulator does takes most of the time. The
//! servers of the first section run on the host, natively: their processor time is real.

#![forbid(unsafe_code)]

mod race;
mod report;
mod ublk;
mod vhost;

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;
use sear_benches::awake::Awake;
use sear_benches::machine::Machine;
use sear_benches::record;
use sear_tests::rig::{Need, require};

use report::Report;

/// Compares in an emulated virtual machine. Needs QEMU and what `.ci/setup` installs.
#[derive(Parser)]
#[command(name = "compare-vm")]
struct Arguments {
    /// Rounds; in each, everybody has one turn with every load
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Length of a turn in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 2000)]
    turn: u32,
    /// Write the tables and JSON to `DIR/<processor>/<date>/vm`
    #[arg(long, value_name = "DIR", requires = "date")]
    record: Option<PathBuf>,
    /// Day of the record, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    date: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if !require(&[Need::Vm, Need::Tool("fio"), Need::Tool("qemu-storage-daemon"), Need::Tool("cryptsetup")]) {
        return Err("this machine cannot run the guest; what is missing is said above".into());
    }
    let awake = Awake::ask();
    let pace = race::Pace { rounds: arguments.rounds.max(1), turn_ms: arguments.turn };
    let sections = vec![vhost::run(&pace)?, ublk::run(&pace)?];
    let date = arguments.date.unwrap_or_default();
    let report =
        Report { date, commit: record::commit()?, machine: Machine::this(), idle: awake.describe(), pace, sections };
    println!("{report}");
    if let Some(root) = &arguments.record {
        println!("recorded in {}", report.write(root)?.display());
    }
    Ok(())
}
