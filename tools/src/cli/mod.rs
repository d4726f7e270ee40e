//! The command line: one file per verb. Each verb parses its arguments, does its work and prints one result.

mod bench;
mod completions;
mod doctor;
mod man;
mod ready;
mod up;
mod volume;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::config::{self, Config};
use crate::error::Error;
use crate::exit::Exit;
use crate::state::StatePath;
use crate::ui::Ui;

/// Keeps block devices and files encrypted (LUKS2, AES-256-XTS) and serves them as block devices.
#[derive(Parser, Debug)]
#[command(name = "sear", version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Options of every verb.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// Where keys and the registry are kept [default: /var/lib/sear for root, else ~/.local/state/sear]
    #[arg(long, global = true, value_name = "DIR", env = "SEAR_STATE_DIR")]
    state_dir: Option<PathBuf>,
    /// The configuration [default: config.toml in the state directory, else /etc/sear/config.toml]
    #[arg(long, global = true, value_name = "FILE", env = config::VARIABLE)]
    config: Option<PathBuf>,
    /// Print one JSON document on standard output in the place of text
    #[arg(long, global = true)]
    json: bool,
    /// Print only what was asked for, and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Log more to standard error; repeat for more (SEAR_LOG overrides)
    #[arg(long, short, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    verbose: u8,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Serve a volume over NBD; make it first if there is none
    Up(Box<up::Up>),
    /// Make, adopt, look at, save and destroy volumes
    #[command(subcommand)]
    Volume(volume::VolumeVerb),
    /// Tell what this machine offers, and what to change
    Doctor,
    /// Measure what this machine reaches
    #[command(subcommand)]
    Bench(bench::BenchVerb),
    /// Print shell completions
    Completions(completions::Completions),
    /// Print the man page, or write every page into a directory
    Man(man::Man),
}

/// The command with its table of exit codes, as help, completions and man pages are made from it.
pub(crate) fn command() -> clap::Command {
    Cli::command().after_long_help(format!("Exit codes:\n{}", Exit::table()))
}

impl Cli {
    /// How to talk to the person or program that runs this.
    pub(crate) fn ui(&self) -> Ui {
        Ui { json: self.global.json, quiet: self.global.quiet }
    }

    /// How much to log: `--quiet`, and how many `-v`.
    pub(crate) fn log_level(&self) -> (bool, u8) {
        (self.global.quiet, self.global.verbose)
    }

    /// Runs the verb.
    ///
    /// # Errors
    /// Whatever ends it early.
    pub(crate) fn run(self) -> Result<(), Error> {
        let ui = self.ui();
        let state = || StatePath::resolve(self.global.state_dir.clone());
        let config = |state: Option<&StatePath>| Config::load(self.global.config.as_deref(), state);
        match self.verb {
            Verb::Up(verb) => {
                let state = state()?;
                verb.run(&state, &config(Some(&state))?, ui)
            }
            Verb::Volume(verb) => verb.run(&state()?, ui),
            // Doctor looks at whatever it finds, also where there is no place for a state.
            Verb::Doctor => doctor::run(config(state().ok().as_ref()), ui),
            Verb::Bench(verb) => verb.run(ui),
            Verb::Completions(verb) => verb.run(),
            Verb::Man(verb) => verb.run(ui),
        }
    }
}
