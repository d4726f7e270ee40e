//! `sear daemon`: the data path of all volumes of a node, and the control plane over it, in one process.
//!
//! ```text
//! state lock ─▶ store ─▶ sockets bound ─▶ confined ─▶ ClusterControl over FileHost ─▶ API, local socket ─▶ READY
//!    STOPPING ◀─ SIGTERM: the API ends, the control plane closes every volume, the NBD server drains and flushes
//! ```
//! docs/daemon.md says how to run it.

mod api;
mod audit;
mod confine;
mod error;
mod gauges;
mod host;
mod local;
mod log_level;
mod nbd;
mod notify;
mod reload;
mod serve;
mod settings;
mod signals;
mod store;

pub(crate) use audit::log_path;
#[cfg(test)]
pub(crate) use confine::{Places, needs};
pub(crate) use error::DaemonError;
pub(crate) use local::{ask, socket};
pub(crate) use log_level::LogLevel;
pub(crate) use serve::{Serving, Start, lock_path, run};
pub(crate) use settings::{LogFormat, Section};
