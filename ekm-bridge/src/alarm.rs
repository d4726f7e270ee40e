//! What a watcher finds wrong, before anybody records it: the daemon turns alarms into cluster faults.
//!
//! An alarm says what is wrong *now*. The same alarm comes back at every look while it is wrong and is missing from the
//! first look after; whoever records faults compares by [`Alarm::code`] and [`Alarm::about`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// The cluster fault codes that watchers of this crate raise, as the Element API spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AlarmCode {
    /// A CA, client or server certificate is about to end, has ended, or cannot serve.
    KmipCertificateFault,
    /// A key server does not answer, refuses, or holds something else than it should.
    KmipServerFault,
}

/// How bad, as the Element API spells it. Later is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Nothing fails yet.
    Warning,
    /// Something fails, or will within days.
    Error,
    /// Keys cannot be had, or will not within hours.
    Critical,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Which fault it is.
    pub code: AlarmCode,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, the same at every look: `key server 3: client certificate 5f0c…`.
    pub about: String,
    /// What is wrong and what to do, for a person.
    pub details: String,
}

impl fmt::Display for AlarmCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KmipCertificateFault => "kmipCertificateFault",
            Self::KmipServerFault => "kmipServerFault",
        })
    }
}
