//! What a kind of record is, and how one becomes bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::id::RecordId;
use crate::store::{Entry, StoreError};

/// A kind of record.
pub trait Record: Serialize + DeserializeOwned + Clone {
    /// The first part of its keys.
    const KIND: &'static str;

    /// What tells records of this kind apart.
    type Id: RecordId;

    /// The record's own id.
    fn id(&self) -> Self::Id;

    /// Under which names and values it can be found besides its id.
    fn index(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Why records could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record is not what this release writes.
    #[error("the record {key} cannot be read: {reason}; restore the store from a backup")]
    Damaged {
        /// Its key in the store.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such record.
    #[error("there is no {kind} {id}")]
    Absent {
        /// The kind.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// There is one already.
    #[error("there is a {kind} {id} already")]
    Exists {
        /// The kind.
        kind: &'static str,
        /// The id.
        id: String,
    },
    /// All ids of a kind have been given out.
    #[error("no id is left for another {0}")]
    IdsUsedUp(&'static str),
    /// A record breaks a limit or a rule of its kind.
    #[error("the {kind} cannot be recorded: {reason}")]
    Invalid {
        /// The kind.
        kind: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Other processes were faster every time.
    #[error("the store is changed by others so often that this change found no gap; try again")]
    Contended,
}

impl RecordError {
    /// There is no `id` among the records of `T`.
    pub fn absent<T: Record>(id: T::Id) -> Self {
        Self::Absent { kind: T::KIND, id: id.to_string() }
    }
}

/// The key of one record.
pub(super) fn key_of<T: Record>(id: T::Id) -> String {
    format!("{}/{}", T::KIND, id.to_key())
}

/// The prefix of all records of a kind.
pub(super) fn prefix_of<T: Record>() -> String {
    format!("{}/", T::KIND)
}

/// The key that changes with every change to a kind, and holds its last counted id.
pub(super) fn table_key<T: Record>() -> String {
    format!("table/{}", T::KIND)
}

/// The prefix of all records of a kind that have `value` under `name`.
pub(super) fn index_prefix<T: Record>(name: &str, value: &str) -> String {
    format!("index/{}/{name}/{}/", T::KIND, escape(value))
}

/// The keys under which `record` can be found besides its own.
pub(super) fn index_keys<T: Record>(record: &T) -> Vec<String> {
    let id = record.id().to_key();
    record.index().iter().map(|(name, value)| format!("{}{id}", index_prefix::<T>(name, value))).collect()
}

/// The id at the end of a key.
pub(super) fn id_in_key<T: Record>(key: &str) -> Result<T::Id, RecordError> {
    let id = key.rsplit('/').next().and_then(T::Id::from_key);
    id.ok_or_else(|| damaged(key, "it is not named after an id"))
}

pub(super) fn encode<T: Record>(record: &T) -> Result<Vec<u8>, RecordError> {
    serde_json::to_vec(record).map_err(|error| damaged(&key_of::<T>(record.id()), error))
}

pub(super) fn parse<T: Record>(key: &str, entry: &Entry) -> Result<T, RecordError> {
    let record: T = serde_json::from_slice(&entry.value).map_err(|error| damaged(key, error))?;
    if key_of::<T>(record.id()) == key { Ok(record) } else { Err(damaged(key, format!("it is about {}", record.id()))) }
}

pub(super) fn damaged(key: &str, reason: impl ToString) -> RecordError {
    RecordError::Damaged { key: key.to_owned(), reason: reason.to_string() }
}

/// A value without `/`, so that it is one part of a key.
fn escape(value: &str) -> String {
    value.replace('%', "%25").replace('/', "%2F")
}
