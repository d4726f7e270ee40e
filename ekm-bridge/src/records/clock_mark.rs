//! Up to when time has passed, as far as it is trusted: what a start measures the time of day against.

use serde::{Deserialize, Serialize};

use super::id::Only;
use super::record::Record;
use crate::time::UnixSeconds;

/// The one record, under `clock-mark/only`; written anew about once an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockMark {
    /// The time then.
    pub seen: UnixSeconds,
}

impl Record for ClockMark {
    const KIND: &'static str = "clock-mark";
    type Id = Only;

    fn id(&self) -> Only {
        Only
    }
}
