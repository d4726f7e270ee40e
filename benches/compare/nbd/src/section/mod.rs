//! What is measured: sections, each with its contestants, its loads and its goals.

mod goal;
mod list;

use serde::Serialize;

use crate::contestant::{Contestant, Transport};
use crate::fio::Load;

pub(crate) use goal::{Against, Goal, Metric};

/// The sections by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Key {
    /// 4 KiB anywhere, 32 in flight, 1 and 4 connections
    Random,
    /// 4 KiB anywhere, one at a time
    Latency,
    /// 128 KiB and 1 MiB one after the other
    Sequential,
    /// 1 MiB over TCP with TLS
    Tls,
    /// the backing on the root filesystem, past the page cache
    Disk,
    /// a FUSE file under a loop device
    Fuse,
    /// both processors, 1 to 8 connections
    Scaling,
}

/// Where the images of a section are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On tmpfs.
    Memory,
    /// On a real disk; servers go past the page cache if they can.
    Disk,
}

/// A set of contestants under the same loads.
pub(crate) struct Section {
    /// Its name.
    pub(crate) key: Key,
    /// What the report calls it.
    pub(crate) title: &'static str,
    /// Where the images are.
    pub(crate) place: Place,
    /// How clients reach the servers.
    pub(crate) transport: Transport,
    /// Whether servers and load may use all processors; else each side has its own.
    pub(crate) all_cores: bool,
    /// Who takes part.
    pub(crate) contestants: Vec<Contestant>,
    /// The loads.
    pub(crate) cases: Vec<Case>,
    /// What Sear is meant to reach.
    pub(crate) goals: Vec<Goal>,
}

/// One load of a section.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What the report calls it.
    pub(crate) name: String,
    /// The load.
    pub(crate) load: Load,
    /// How fast a contestant is: operations, bytes, or the time of one.
    pub(crate) rate: Metric,
    /// What that costs the server.
    pub(crate) cost: Metric,
}

impl Section {
    /// Those with these names, or all, in the order of the report.
    pub(crate) fn all(keys: &[Key]) -> Vec<Self> {
        let sections = list::all().into_iter();
        sections.filter(|section| keys.is_empty() || keys.contains(&section.key)).collect()
    }
}
