//! The watch over certificates: 30, 7 and 3 days before one ends, and from its end on.
//!
//! ```text
//!  not_before            −30 d        −7 d       −3 d       not_after
//!      │      silent       │  warning   │  error    │ critical │  critical, ended
//! ```

use std::fmt;

use super::certificate::Certificate;
use super::date::utc;
use crate::alarm::{Alarm, AlarmCode, Severity};
use crate::time::UnixSeconds;

const DAY: u64 = 24 * 60 * 60;

/// Days before the end, and how bad it is from then on. The last that fits counts.
const STEPS: [(u64, Severity); 3] = [(30, Severity::Warning), (7, Severity::Error), (3, Severity::Critical)];

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// An authority that the key server's certificate must come from.
    Authority,
    /// This cluster's own.
    Client,
    /// The key server's own, as it showed it in the last handshake.
    Server,
}

/// A certificate in use for a key server.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'a> {
    /// The key server's number.
    pub key_server: i64,
    /// The key server's name, for people.
    pub name: &'a str,
    /// What the certificate is for.
    pub role: Role,
    /// The certificate.
    pub certificate: &'a Certificate,
}

/// The alarms that are due at `now`, worst first.
#[must_use]
pub fn watch(watched: &[Watched<'_>], now: UnixSeconds) -> Vec<Alarm> {
    let mut alarms: Vec<Alarm> = watched.iter().filter_map(|watched| watched.alarm(now)).collect();
    alarms.sort_by(|a, b| (b.severity, &a.about).cmp(&(a.severity, &b.about)));
    alarms
}

impl Watched<'_> {
    fn alarm(&self, now: UnixSeconds) -> Option<Alarm> {
        let (severity, state) = self.state(now)?;
        let Self { key_server, name, role, certificate } = self;
        Some(Alarm {
            code: AlarmCode::KmipCertificateFault,
            severity,
            about: format!("key server {key_server}: {role} certificate {}", certificate.short_fingerprint()),
            details: format!(
                "The {role} certificate of key server {name} (ID {key_server}), subject {}, {state}. {}",
                certificate.subject(),
                role.advice()
            ),
        })
    }

    fn state(&self, now: UnixSeconds) -> Option<(Severity, String)> {
        let (start, end) = (self.certificate.not_before(), self.certificate.not_after());
        if now > end {
            return Some((Severity::Critical, format!("ended on {}", utc(end))));
        }
        if now < start {
            return Some((Severity::Error, format!("is valid only from {} on", utc(start))));
        }
        let left = end.0 - now.0;
        let (_, severity) = STEPS.iter().rfind(|(days, _)| left <= days * DAY)?;
        Some((*severity, format!("ends on {}, in {}", utc(end), days_left(left))))
    }
}

fn days_left(seconds: u64) -> String {
    match seconds / DAY {
        0 => "less than a day".into(),
        1 => "1 day".into(),
        days => format!("{days} days"),
    }
}

impl Role {
    fn advice(self) -> &'static str {
        match self {
            Self::Authority => {
                "Put the authority's new certificate beside the old one (ModifyKeyServerKmip, kmipCaCertificate) before \
                 the key server changes to it."
            }
            Self::Client => {
                "Have the certificate request signed again (GetClientCertificateSignRequest) and install the answer \
                 (ModifyKeyServerKmip, kmipClientCertificate)."
            }
            Self::Server => "Renew the certificate on the key server itself.",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authority => "CA",
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

#[cfg(test)]
mod tests;
