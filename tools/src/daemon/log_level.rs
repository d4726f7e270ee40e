//! The log of the daemon, whose level can be changed while it runs.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use super::LogFormat;

/// What changes the level.
pub(crate) struct LogLevel(Handle<EnvFilter, Registry>);

impl LogLevel {
    /// Starts the log on standard error. `SEAR_LOG` counts before `level`, as everywhere.
    pub(crate) fn start(format: LogFormat, level: &str) -> Self {
        let (filter, handle) = reload::Layer::new(filter(level));
        let writer = fmt::layer().with_writer(stderr).with_target(false);
        let writer = match format {
            LogFormat::Text => writer.with_ansi(stderr().is_terminal()).boxed(),
            LogFormat::Json => writer.json().boxed(),
        };
        // There is only this one call in a run.
        let _already_started = tracing_subscriber::registry().with(filter).with(writer).try_init();
        Self(handle)
    }

    /// Changes the level.
    pub(crate) fn set(&self, level: &str) {
        match self.0.reload(filter(level)) {
            Ok(()) => tracing::info!(level, "log level"),
            Err(error) => tracing::error!(%error, "the log level stays"),
        }
    }
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::try_from_env("SEAR_LOG").unwrap_or_else(|_| EnvFilter::new(level))
}
