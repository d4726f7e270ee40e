//! `sear daemon`

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::config::{self, Config, Sandbox};
use crate::daemon::{self, LogLevel, Start};
use crate::error::Error;
use crate::hardening;
use crate::state::StatePath;
use crate::ui::Ui;

#[derive(Args, Debug)]
pub(crate) struct Daemon {}

/// Where it serves.
#[derive(Serialize)]
struct Ready<'a> {
    event: &'static str,
    api: &'a [SocketAddr],
    nbd: &'a [String],
    socket: &'a Path,
}

impl Daemon {
    /// Serves until a signal ends it. The log is not started yet: its form is in the configuration.
    pub(super) fn run(
        self,
        state: &StatePath,
        chosen: Option<&Path>,
        verbosity: (bool, u8),
        ui: Ui,
    ) -> Result<(), Error> {
        let config = Config::load(chosen, Some(state))?;
        let section = config.daemon();
        let log = LogLevel::start(section.log, &level(&config, verbosity));
        let engine = config.engine()?.engine;
        if !hardening::lock_memory() {
            tracing::warn!(
                "memory is not locked, and keys in it may be swapped out: `sear doctor` says how to change it"
            );
        }
        hardening::become_io_flusher();
        let files = [chosen.map(Path::to_owned).unwrap_or_else(|| config::OF_THE_MACHINE.into())];
        let confined = match config.sandbox() {
            Sandbox::On => Some(&files[..]),
            Sandbox::Off => {
                tracing::warn!("the daemon is not confined: the configuration says so");
                hardening::forbid_new_privileges();
                None
            }
        };
        let ready = |serving: &daemon::Serving| {
            ui.answer(&Ready { event: "ready", api: &serving.api, nbd: &serving.nbd, socket: &serving.socket })
        };
        let reload = || match Config::load(chosen, Some(state)) {
            Ok(config) => {
                log.set(&level(&config, verbosity));
                Some(config.daemon().clone())
            }
            Err(error) => {
                tracing::error!(%error, "the configuration stays as it was");
                None
            }
        };
        daemon::run(&Start { section, state: state.path(), engine, confined }, ready, reload)
    }
}

/// What `-q` and `-v` ask for counts before the file.
fn level(config: &Config, (quiet, verbose): (bool, u8)) -> String {
    let asked = (quiet || verbose > 0).then(|| crate::logging::level(quiet, verbose));
    let configured = || config.daemon().log_level.clone();
    asked.map(ToOwned::to_owned).or_else(configured).unwrap_or_else(|| "info".to_owned())
}

impl fmt::Display for Ready<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for address in self.api {
            writeln!(f, "API   https://{address}/json-rpc/")?;
        }
        for uri in self.nbd {
            writeln!(f, "NBD   {uri}")?;
        }
        writeln!(f, "local {}", PathBuf::from(self.socket).display())
    }
}
