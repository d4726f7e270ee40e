//! What this machine offers to Sear: one line per thing, what it means, and what to change.

mod cipher;
mod cpu;
mod devices;
mod limits;
mod sandbox;

use std::fmt;

use serde::Serialize;

use crate::config::{Config, ConfigError};

/// How good the state of a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    /// As good as it gets.
    Good,
    /// Works without it, or worse than it could.
    Note,
    /// Should be changed.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// A stable name.
    pub(crate) name: &'static str,
    /// How good it is.
    pub(crate) level: Level,
    /// What is there.
    pub(crate) found: String,
    /// What that means for Sear.
    pub(crate) meaning: &'static str,
    /// What to do to improve it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<&'static str>,
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>, meaning: &'static str) -> Self {
        Self { name, level: Level::Good, found: found.into(), meaning, change: None }
    }

    fn note(name: &'static str, found: impl Into<String>, meaning: &'static str, change: &'static str) -> Self {
        Self { name, level: Level::Note, found: found.into(), meaning, change: Some(change) }
    }

    fn bad(name: &'static str, found: impl Into<String>, meaning: &'static str, change: &'static str) -> Self {
        Self { name, level: Level::Bad, found: found.into(), meaning, change: Some(change) }
    }
}

/// Everything that was looked at.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Diagnosis {
    /// In reading order.
    pub(crate) checks: Vec<Check>,
}

/// Looks at the machine and at the configuration, if it could be read. Nothing is changed.
pub(crate) fn diagnose(config: Result<Config, ConfigError>) -> Diagnosis {
    let machine = [devices::checks(), limits::checks(), sandbox::checks()].concat();
    Diagnosis { checks: [vec![cpu::check()], cipher::checks(config), machine].concat() }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let mark = match check.level {
                Level::Good => "ok  ",
                Level::Note => "note",
                Level::Bad => "BAD ",
            };
            writeln!(f, "{mark} {:<12} {}", check.name, check.found)?;
            writeln!(f, "     {:<12} {}", "", check.meaning)?;
            if let Some(change) = check.change {
                writeln!(f, "     {:<12} → {change}", "")?;
            }
        }
        Ok(())
    }
}
