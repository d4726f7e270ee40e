//! Measures `sear daemon` as a process, with real key managers (PyKMIP) behind it: the unlock of many volumes, memory,
//! the way of an NBD client to its export, calls of the API, and the loss and return of key servers.

#![forbid(unsafe_code)]

mod calls;
mod connect;
mod crowd;
mod figure;
mod loss;
mod memory;
mod plot;
mod rekey;
mod world;

use std::error::Error;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
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
    /// The most volumes that are rekeyed, up to 4000
    #[arg(long, value_name = "N", default_value_t = 1000)]
    rekeyed: usize,
    /// Measure this part only
    #[arg(long, value_enum, value_name = "PART")]
    only: Option<Part>,
    /// How often a loss of key servers is tried
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: usize,
    /// Write tables, JSON and plot to `DIR/<processor>/<date>/daemon`, or `daemon-PART`
    #[arg(long, value_name = "DIR", requires = "date")]
    record: Option<PathBuf>,
    /// Day of the record, YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    date: Option<String>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Calls of the API.
    Calls,
    /// A start with many volumes.
    Crowd,
    /// Lost key servers.
    Loss,
    /// Rekeys of many volumes.
    Rekey,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut figures = Vec::new();
    let is_wanted = |part: Part| arguments.only.is_none_or(|only| only == part);
    if is_wanted(Part::Calls) {
        figures.extend(calls::measure()?);
    }
    if is_wanted(Part::Crowd) {
        figures.extend(crowd::measure(arguments.volumes)?);
    }
    if is_wanted(Part::Loss) {
        figures.extend(loss::measure(arguments.rounds)?);
    }
    let growth = if is_wanted(Part::Rekey) { rekey::measure(arguments.rekeyed)? } else { Vec::new() };
    figures.extend(growth.iter().map(rekey::Point::figure));
    let (date, plot) = (arguments.date.unwrap_or_default(), plot::svg(&growth));
    let part = arguments.only.and_then(|part| Some(format!("-{}", part.to_possible_value()?.get_name())));
    let folder = format!("daemon{}", part.unwrap_or_default());
    let (commit, machine, volumes) = (record::commit()?, Machine::this(), arguments.volumes);
    let report = Report { date, commit, machine, volumes, figures, folder, plot };
    println!("{report}");
    if let Some(root) = &arguments.record {
        println!("recorded in {}", report.write(root)?.display());
    }
    Ok(())
}
