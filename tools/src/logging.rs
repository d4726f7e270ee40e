//! Logs go to standard error, so that standard output holds nothing but results.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

/// Starts logging at the level that `-q` and `-v` ask for; the environment variable `SEAR_LOG` overrides both, in the
/// syntax of tracing's `EnvFilter`.
pub(crate) fn start(quiet: bool, verbose: u8) {
    let level = level(quiet, verbose);
    let filter = EnvFilter::try_from_env("SEAR_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // A second subscriber cannot be installed; there is only this one call.
    let _already_started = log.with_ansi(stderr().is_terminal()).with_target(false).try_init();
}

/// The level that `-q` and `-v` ask for.
pub(crate) fn level(quiet: bool, verbose: u8) -> &'static str {
    match (quiet, verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, 2) => "debug",
        (false, _) => "trace",
    }
}
