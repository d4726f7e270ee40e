//! The command line: one file per verb. Each verb parses its arguments, does its work and prints one result.

mod bench;
mod completions;
mod daemon;
mod daemon_api;
mod doctor;
mod man;
mod mount;
mod ready;
mod through;
mod top;
mod umount;
mod unmounter;
mod up;
mod volume;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

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

impl Global {
    /// The same options for another process of this program, with absolute paths.
    fn forward(&self, state: &Path) -> Result<Vec<OsString>, Error> {
        let absolute = |path: &Path| std::path::absolute(path).map_err(Error::io("find", path));
        let mut arguments = vec!["--state-dir".into(), absolute(state)?.into()];
        if let Some(config) = &self.config {
            arguments.extend(["--config".into(), absolute(config)?.into()]);
        }
        if self.quiet {
            arguments.push("--quiet".into());
        }
        arguments.extend((0..self.verbose).map(|_| OsString::from("--verbose")));
        Ok(arguments)
    }
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Serve a volume, and mount it if asked to; make it first if there is none
    Up(Box<up::Up>),
    /// Serve a volume in the background and mount the filesystem in it, as root
    Mount(Box<mount::Mount>),
    /// Unmount a volume, and end its server once everything is on the medium
    Umount(umount::Umount),
    /// Make, adopt, look at, save and destroy volumes
    #[command(subcommand)]
    Volume(volume::VolumeVerb),
    /// Serve the volumes of this node and the API that manages them
    Daemon(daemon::Daemon),
    /// Call a method of the daemon's API
    Api(daemon_api::Api),
    /// Key servers
    #[command(subcommand)]
    Server(daemon_api::ServerVerb),
    /// Key providers, and the servers that they use
    #[command(subcommand)]
    Provider(daemon_api::ProviderVerb),
    /// Wrap every volume by a new master key
    Rekey(daemon_api::Rekey),
    /// Tell which master keys there are, what depends on them, and end old ones
    Keys(daemon_api::Keys),
    /// List what is wrong with the node
    Faults(daemon_api::Faults),
    /// Check the log of who asked for what
    #[command(subcommand)]
    Audit(daemon_api::AuditVerb),
    /// Show what the servers of this node do, as it happens
    Top(top::Top),
    /// Tell what this machine offers, and what to change
    Doctor,
    /// Measure what this machine reaches
    #[command(subcommand)]
    Bench(bench::BenchVerb),
    /// Print shell completions
    Completions(completions::Completions),
    /// Print the man page, or write every page into a directory
    Man(man::Man),
    /// Take a mount down for its server, when it asks
    #[command(name = crate::serve::unmounter::VERB, hide = true)]
    Unmounter(unmounter::Unmounter),
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

    /// Whether the verb starts the log by itself.
    pub(crate) fn starts_its_log(&self) -> bool {
        matches!(self.verb, Verb::Daemon(_))
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
                let forward = self.global.forward(state.path())?;
                verb.run(&state, &config(Some(&state))?, forward, ui)
            }
            Verb::Mount(verb) => {
                let state = state()?;
                let forward = self.global.forward(state.path())?;
                verb.run(&state, forward, ui)
            }
            Verb::Umount(verb) => verb.run(&state()?, ui),
            Verb::Volume(verb) => verb.run(&state()?, ui),
            Verb::Daemon(verb) => {
                verb.run(&state()?, self.global.config.as_deref(), (self.global.quiet, self.global.verbose), ui)
            }
            Verb::Api(verb) => verb.run(&state()?, ui),
            Verb::Server(verb) => verb.run(&state()?, ui),
            Verb::Provider(verb) => verb.run(&state()?, ui),
            Verb::Rekey(verb) => verb.run(&state()?, ui),
            Verb::Keys(verb) => verb.run(&state()?, ui),
            Verb::Faults(verb) => verb.run(&state()?, ui),
            Verb::Audit(verb) => verb.run(&state()?, ui),
            Verb::Top(verb) => verb.run(&state()?, ui),
            // Doctor looks at whatever it finds, also where there is no place for a state.
            Verb::Doctor => doctor::run(config(state().ok().as_ref()), ui),
            Verb::Bench(verb) => verb.run(ui),
            Verb::Completions(verb) => verb.run(),
            Verb::Man(verb) => verb.run(ui),
            Verb::Unmounter(verb) => verb.run(),
        }
    }
}
