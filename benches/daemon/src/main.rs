//! Measures `sear daemon` as a process, with real key managers (PyKMIP) behind it: the unlock of many volumes, memory,
//! the way of an NBD client to its export, calls of the API, and the loss and return of key servers.

#![forbid(unsafe_code)]

mod calls;
mod connect;
mod crowd;
mod figure;
mod loss;
mod memory;
mod rekey;
mod world;

use std::error::Error;
use std::path::PathBuf;

use clap::Parser;
use sear_benches::machine::Machine;
use sear_benches::record;

use figure::Report;

/// Measures the daemon. Needs python3 with venv, openssl, and PyPI the first time.
#[derive(Parser)]
#[command(name = "measure-daemon")]
struct Arguments {
    /// Volumes that are unlocked at the start
    #[arg(long, value_name = "N", default_value_t = 1000)]
    volumes: usize,
    /// The most volumes that are rekeyed
    #[arg(long, value_name = "N", default_value_t = 1000)]
    rekeyed: usize,
    /// How often a loss of key servers is tried
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Write the tables and JSON to `DIR/<processor>/<date>/daemon`
    #[arg(long, value_name = "DIR", requires = "date")]
    record: Option<PathBuf>,
    /// Day of the record, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    date: Option<String>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut figures = Vec::new();
    figures.extend(calls::measure()?);
    figures.extend(crowd::measure(arguments.volumes)?);
    figures.extend(loss::measure(arguments.rounds)?);
    figures.extend(rekey::measure(arguments.rekeyed)?);
    let date = arguments.date.unwrap_or_default();
    let report =
        Report { date, commit: record::commit()?, machine: Machine::this(), volumes: arguments.volumes, figures };
    println!("{report}");
    if let Some(root) = &arguments.record {
        println!("recorded in {}", report.write(root)?.display());
    }
    Ok(())
}
