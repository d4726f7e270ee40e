//! How other processes talk to a server: one line of JSON each way over a Unix socket beside its lock, for its owner
//! only. It tells what the server counts, and takes the wish to grow; no key and no data pass through it.

mod client;
mod server;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use client::{ask, running};
pub(crate) use server::Control;

/// What the socket's name ends with.
const SUFFIX: &str = "control";

/// Where the server of a volume listens.
pub(crate) fn socket(run_dir: &Path, uuid: Uuid) -> PathBuf {
    run_dir.join(format!("{uuid}.{SUFFIX}"))
}

/// What can be asked.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub(crate) enum Question {
    /// What was done so far.
    Statistics,
    /// Grow to what the backing has room for.
    Grow,
}

/// What comes back.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// To [`Question::Statistics`].
    Statistics(Statistics),
    /// To [`Question::Grow`]: the new length in bytes.
    Grown(u64),
    /// Why not.
    Refused(String),
}

/// What a server has done for its volume since it started.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Statistics {
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Length in bytes.
    pub(crate) size: u64,
    pub(crate) read_only: bool,
    /// An earlier write or flush failed: changes are refused.
    pub(crate) latched: bool,
    /// Counters by name, for each queue and for the blocking calls.
    pub(crate) queues: Vec<BTreeMap<String, u64>>,
}

impl Statistics {
    /// A counter over all queues.
    pub(crate) fn total(&self, counter: &str) -> u64 {
        self.queues.iter().filter_map(|queue| queue.get(counter)).sum()
    }
}
