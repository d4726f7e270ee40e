//! Faults: what is wrong now, and what was.
//!
//! ```text
//! raise ──▶ current ──raise again──▶ current (the same, its details new)
//!              └──────resolve──────▶ resolved ──clear──▶ gone
//! ```
//! What is wrong is told by a code and a *subject*, such as `drive/7`: of both together there is one current fault.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::counted_id;
use super::record::Record;
use super::{RecordError, Records, Work};
use crate::time::UnixSeconds;

counted_id! {
    /// Given by the cluster, and never given again.
    pub FaultId
}

/// Longest code and subject in bytes, so that both fit into a key.
pub const MAX_NAME: usize = 100;

/// Resolved faults that are remembered; the oldest go first.
pub const MAX_RESOLVED: usize = 500;

/// Index of current faults by code and subject.
const CURRENT: &str = "current";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Something could be set up better.
    BestPractice,
    /// It may become worse.
    Warning,
    /// Something does not work.
    Error,
    /// Data is out of reach or in danger.
    Critical,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Its id.
    pub id: FaultId,
    /// When it was first seen.
    pub date: UnixSeconds,
    /// When it was over.
    pub resolved: Option<UnixSeconds>,
    /// What it is.
    pub what: NewFault,
}

/// A fault as whoever sees it tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFault {
    /// The code of the API, such as `kmipServerFault`.
    pub code: String,
    /// What it is about; with the code it tells faults apart.
    pub subject: String,
    /// How bad it is.
    pub severity: Severity,
    /// The type of the API: `node`, `drive`, `cluster`, `service` or `volume`.
    pub kind: String,
    /// What happened, for people.
    pub details: String,
    /// The ids of the API that it is about, by name (`nodeID`, `driveID`, `serviceID`, …).
    pub ids: Map<String, Value>,
}

/// Which faults are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that are not over.
    Current,
    /// Those that are.
    Resolved,
    /// Both.
    All,
}

impl Fault {
    /// Whether it is among those meant.
    #[must_use]
    pub fn is(&self, which: Which) -> bool {
        match which {
            Which::Current => self.resolved.is_none(),
            Which::Resolved => self.resolved.is_some(),
            Which::All => true,
        }
    }
}

impl Record for Fault {
    const KIND: &'static str = "fault";
    type Id = FaultId;

    fn id(&self) -> FaultId {
        self.id
    }

    fn index(&self) -> Vec<(&'static str, String)> {
        if self.resolved.is_some() { Vec::new() } else { vec![(CURRENT, name(&self.what.code, &self.what.subject))] }
    }
}

/// The faults of a cluster.
#[derive(Clone, Copy)]
pub struct Faults<'a> {
    records: &'a Records,
}

impl<'a> Faults<'a> {
    /// The faults among these records.
    #[must_use]
    pub fn new(records: &'a Records) -> Self {
        Self { records }
    }

    /// Says that something is wrong. If it is known already, only what is told of it changes, and nothing is written
    /// when that is the same too.
    ///
    /// # Errors
    /// When a name is empty or too long, or the store fails.
    pub fn raise(&self, what: &NewFault, now: UnixSeconds) -> Result<Fault, RecordError> {
        self.records.transact(|work| raise(work, what, now))
    }

    /// Says that it is over; the fault, if there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn resolve(&self, code: &str, subject: &str, now: UnixSeconds) -> Result<Option<Fault>, RecordError> {
        let resolved = self.records.transact(|work| {
            let Some(fault) = current(work, code, subject)? else { return Ok(None) };
            work.update::<Fault>(fault.id, |fault| fault.resolved = Some(now)).map(Some)
        });
        if matches!(resolved, Ok(Some(_))) {
            self.forget_oldest()?;
        }
        resolved
    }

    /// The current fault with this code and subject.
    ///
    /// # Errors
    /// When the store fails.
    pub fn current(&self, code: &str, subject: &str) -> Result<Option<Fault>, RecordError> {
        Ok(self.records.table().find(CURRENT, &name(code, subject))?.into_iter().next())
    }

    /// The faults that are meant, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, which: Which) -> Result<Vec<Fault>, RecordError> {
        let mut faults = self.records.table::<Fault>().list()?;
        faults.retain(|fault| fault.is(which));
        Ok(faults)
    }

    /// Forgets the faults that are meant. One that is still there is raised anew by whoever sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn clear(&self, which: Which) -> Result<(), RecordError> {
        self.forget(self.list(which)?.iter())
    }

    fn forget_oldest(&self) -> Result<(), RecordError> {
        let resolved = self.list(Which::Resolved)?;
        self.forget(resolved.iter().take(resolved.len().saturating_sub(MAX_RESOLVED)))
    }

    /// One transaction for each fault, so that any number of them fits.
    fn forget<'f>(&self, mut faults: impl Iterator<Item = &'f Fault>) -> Result<(), RecordError> {
        faults.try_for_each(|fault| self.records.table::<Fault>().delete(fault.id).map(drop))
    }
}

fn raise(work: &mut Work<'_>, what: &NewFault, now: UnixSeconds) -> Result<Fault, RecordError> {
    check_names(what)?;
    match current(work, &what.code, &what.subject)? {
        Some(known) if known.what == *what => Ok(known),
        Some(known) => work.update(known.id, |fault: &mut Fault| fault.what = what.clone()),
        None => work.insert(|id| Fault { id, date: now, resolved: None, what: what.clone() }),
    }
}

/// The current fault with this code and subject.
fn current(work: &mut Work<'_>, code: &str, subject: &str) -> Result<Option<Fault>, RecordError> {
    Ok(work.find(CURRENT, &name(code, subject))?.into_iter().next())
}

fn name(code: &str, subject: &str) -> String {
    format!("{code} {subject}")
}

fn check_names(what: &NewFault) -> Result<(), RecordError> {
    let fits = |text: &str| (1..=MAX_NAME).contains(&text.len()) && !text.contains(' ');
    if fits(&what.code) && fits(&what.subject) {
        return Ok(());
    }
    let reason =
        format!("code and subject have 1 to {MAX_NAME} bytes and no space: {:?}, {:?}", what.code, what.subject);
    Err(RecordError::Invalid { kind: Fault::KIND, reason })
}
