//! A small transactional key-value store: what a node remembers, in one file or in a copy on each of several drives.
//!
//! The face is the part that a single file and etcd have in common: every change of a key gives it a new revision, and
//! a transaction happens as a whole if and only if the keys it names still have the revisions its author saw.

mod embedded;
mod memory;
pub mod replicated;
mod snapshot;
mod transaction;

use std::path::PathBuf;
use std::sync::Arc;

pub use embedded::{EmbeddedStore, ExclusiveStore};
pub use memory::MemoryStore;
pub use replicated::ReplicatedStore;
pub use snapshot::Snapshot;
pub use transaction::{Change, Limit, MAX_CHANGES, MAX_KEY_LEN, MAX_TRANSACTION_LEN, MAX_VALUE_LEN, Transaction};

use crate::state_dir::StateError;

/// When a key was last changed: a counter of the whole store that grows with every transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision of a key that does not exist.
    pub const ABSENT: Self = Self(0);
}

/// A value together with the revision a later transaction can insist on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When the key was last changed.
    pub revision: Revision,
    /// The value's bytes; the store gives them no meaning.
    pub value: Vec<u8>,
}

/// Durable keys and values with compare-and-swap transactions. Implementations are shared between threads and processes.
pub trait Store: Send + Sync {
    /// The value of `key`, `None` when it has none.
    ///
    /// # Errors
    /// When the store cannot be reached or read. Never because the key is absent.
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError>;

    /// All keys that start with `prefix`, in byte order, as of one moment.
    ///
    /// # Errors
    /// As [`Self::get`].
    fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError>;

    /// Applies the whole transaction durably, or nothing of it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when an expected revision no longer holds. After any other error the transaction may or
    /// may not have happened; read the keys again to find out.
    fn commit(&self, transaction: &Transaction) -> Result<Revision, StoreError>;

    /// Puts every file of the store anew, with what it holds now, and overwrites the one that was there: what was deleted
    /// or replaced earlier is in no file any more. Tells each place. A store without files has none.
    ///
    /// # Errors
    /// When nothing could be rewritten at all; a place that failed is in the answer.
    fn scrub(&self) -> Result<Vec<Scrubbed>, StoreError> {
        Ok(Vec::new())
    }
}

/// What became of one place of a store that was scrubbed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrubbed {
    /// The file or metadata drive.
    pub place: String,
    /// Whether the store still uses it. One that it does not keeps what it has, until it is erased.
    pub in_use: bool,
    /// Why old contents may still be there; `None` when they are overwritten.
    pub failure: Option<String>,
}

impl<S: Store + ?Sized> Store for Arc<S> {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        (**self).get(key)
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        (**self).list(prefix)
    }

    fn commit(&self, transaction: &Transaction) -> Result<Revision, StoreError> {
        (**self).commit(transaction)
    }

    fn scrub(&self) -> Result<Vec<Scrubbed>, StoreError> {
        (**self).scrub()
    }
}

/// Why the store gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed a key first. Read again and decide again.
    #[error("key {key} is at revision {}, not {}: it was changed meanwhile", found.0, expected.0)]
    Conflict {
        /// The first key that differs.
        key: String,
        /// What the transaction insisted on.
        expected: Revision,
        /// What the store holds.
        found: Revision,
    },
    /// The state directory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// There is no store at this place, and none may be made silently.
    #[error("there is no store at {path}")]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file is there but is not a sound store. It is left as it is.
    #[error(
        "the store {path} is damaged ({reason}); it was left untouched. Master keys are in it: restore it from a backup \
         together with the root key, or move it away to start without them"
    )]
    Damaged {
        /// The store's file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Written by a later release, or by one so old that its schema is no longer known.
    #[error("the store {path} has schema version {found}; this release knows version {known}: use a release that fits")]
    Schema {
        /// The store's file.
        path: PathBuf,
        /// The version in it.
        found: u64,
        /// The version this release reads and writes.
        known: u64,
    },
    /// Reading or writing failed.
    #[error("cannot use the store {path}: {reason}")]
    Unavailable {
        /// The store's file.
        path: PathBuf,
        /// The failure, as the storage layer reports it.
        reason: String,
    },
    /// The key belongs to the store itself.
    #[error("the key {0} is reserved for the store's own use")]
    Reserved(String),
    /// Every copy of a replicated store has failed.
    #[error("no metadata drive is left that works: {0}; repair one of them and start again")]
    NoDrive(String),
    /// The transaction is larger than any store accepts.
    #[error(transparent)]
    Limit(#[from] Limit),
}
