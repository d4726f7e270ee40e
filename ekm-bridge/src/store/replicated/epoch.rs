//! A time in which the same drives take part.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::replica::DriveId;
use crate::store::Revision;

/// One epoch, as every copy records it in the entry `replica/epoch/<number>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Counted from 1.
    pub number: u64,
    /// Random, so that two histories which both had an epoch of this number can be told apart.
    pub id: Uuid,
    /// The transaction that began it; it contains nothing else.
    pub start: Revision,
    /// Who takes part.
    pub members: Vec<DriveId>,
}

/// The value of the entry. Number and start are its key and its revision.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    id: Uuid,
    members: Vec<DriveId>,
}

impl Epoch {
    pub(super) const PREFIX: &'static str = "replica/epoch/";

    /// Digits of the number in the key, so that byte order is numeric order.
    const DIGITS: usize = 20;

    /// The epoch after `number`, beginning at `start`.
    pub(super) fn after(number: u64, start: Revision, members: Vec<DriveId>) -> Option<Self> {
        Some(Self { number: number.checked_add(1)?, id: Uuid::new_v4(), start, members })
    }

    pub(super) fn key(&self) -> String {
        format!("{}{:0width$}", Self::PREFIX, self.number, width = Self::DIGITS)
    }

    pub(super) fn value(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Value { id: self.id, members: self.members.clone() })
    }

    pub(super) fn parse(key: &str, start: Revision, value: &[u8]) -> Option<Self> {
        let digits = key.strip_prefix(Self::PREFIX).filter(|digits| digits.len() == Self::DIGITS)?;
        let Value { id, members } = serde_json::from_slice(value).ok()?;
        Some(Self { number: digits.parse().ok()?, id, start, members })
    }

    pub(super) fn has(&self, drive: DriveId) -> bool {
        self.members.contains(&drive)
    }

    /// Whether both are the same epoch of the same history.
    pub(super) fn is(&self, number: u64, id: Uuid) -> bool {
        (self.number, self.id) == (number, id)
    }
}
