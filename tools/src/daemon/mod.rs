//! `sear daemon`: the data path of all volumes of a node, and the control plane over it, in one process.
//!
//! ```text
//! state lock ─▶ store ─▶ NBD server ─▶ FileHost ─▶ ClusterControl ─▶ API servers, local socket ─▶ READY
//!    STOPPING ◀─ SIGTERM: the API ends, the control plane closes every volume, the NBD server drains and flushes
//! ```
//! docs/daemon.md says how to run it.

mod audit;
mod error;
mod gauges;
mod host;
mod local;
mod log_level;
mod notify;
mod serve;
mod settings;
mod signals;
mod store;

pub(crate) use audit::log_path;
pub(crate) use error::DaemonError;
pub(crate) use local::{ask, socket};
pub(crate) use log_level::LogLevel;
pub(crate) use serve::{Serving, lock_path, run};
pub(crate) use settings::{LogFormat, Section};
