//! The `sear` command: the one place that joins the data path and the key path.
//!
//! Reading order: `cli` (one file per verb), `volume` (what the verbs share: places, create, unlock), `serve` (where a
//! volume becomes an export), `chain` (from an export to a mounted filesystem), `probe` (what must not be overwritten), `config`, `doctor`, `bench`,
//! `hardening`.
#![forbid(unsafe_code)]

mod backing;
mod bench;
mod chain;
mod cli;
mod config;
mod control;
mod daemon;
mod doctor;
mod error;
mod exit;
mod hardening;
mod lock;
mod logging;
mod mount;
mod parse;
mod probe;
mod prompt;
mod serve;
mod signals;
mod state;
mod ui;
mod volume;
mod wait;

use std::env;
use std::process::ExitCode;

use clap::FromArgMatches;

use cli::Cli;
use exit::Exit;

fn main() -> ExitCode {
    let parsed = cli::command().try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => run(cli),
        Err(error) => usage(&error),
    }
}

fn run(cli: Cli) -> ExitCode {
    if !cli.starts_its_log() {
        let (quiet, verbose) = cli.log_level();
        logging::start(quiet, verbose);
    }
    hardening::seal_process();
    let ui = cli.ui();
    match cli.run() {
        Ok(()) => Exit::Success.into(),
        Err(error) => {
            ui.failure(&error);
            error.exit().into()
        }
    }
}

/// Help and version go to standard output and succeed; a wrong command line is told as text, or as JSON if asked.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _closed = error.print();
        return Exit::Success.into();
    }
    if env::args_os().any(|argument| argument == "--json") {
        ui::print_usage_error(&error.to_string());
    } else {
        let _closed = error.print();
    }
    Exit::Usage.into()
}
