//! A store's file that stays open: the transactions of `tables`, with the path in every error.

use std::path::{Path, PathBuf};

use redb::Database;

use super::builder;
use super::tables::{self, Failure};
use crate::store::{Entry, Revision, Snapshot, StoreError, Transaction};

/// An open database whose schema is known. After a failed write or sync everything fails until it is opened anew.
#[derive(Debug)]
pub(crate) struct OpenFile {
    database: Database,
    path: PathBuf,
}

impl OpenFile {
    /// Opens the file at `path`, which exists, and verifies the checksum of every page.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let database = builder().open(path).map_err(|error| Failure::from(error).at(path))?;
        Self::over(database, path)
    }

    /// A database that something else opened.
    pub(super) fn over(database: Database, path: &Path) -> Result<Self, StoreError> {
        tables::check_schema(&database).map_err(|failure| failure.at(path))?;
        Ok(Self { database, path: path.to_owned() })
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        tables::snapshot(&self.database).map_err(|failure| failure.at(&self.path))
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        tables::get(&self.database, key).map_err(|failure| failure.at(&self.path))
    }

    pub(crate) fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        tables::list(&self.database, prefix).map_err(|failure| failure.at(&self.path))
    }

    pub(crate) fn commit(&self, transaction: &Transaction) -> Result<Revision, StoreError> {
        transaction.check_limits()?;
        tables::commit(&self.database, transaction).map_err(|failure| failure.at(&self.path))
    }

    /// Commits if the transaction gets just this revision.
    pub(crate) fn commit_as(&self, transaction: &Transaction, revision: Revision) -> Result<(), StoreError> {
        tables::commit_as(&self.database, transaction, revision).map_err(|failure| failure.at(&self.path))
    }
}
