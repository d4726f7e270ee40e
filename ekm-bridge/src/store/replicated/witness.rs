//! The one fact that is kept apart from the drives: which epoch is the newest.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::replica::DriveId;
use crate::private_file;
use crate::state_dir::StateError;
use crate::store::StoreError;

/// Longest file that is read.
const MAX_LEN: usize = 64 * 1024;

/// The format that this release reads and writes.
const FORMAT: u32 = 1;

/// The newest epoch, and where its copies are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    format: u32,
    /// The store's id.
    pub store: Uuid,
    /// The epoch's number.
    pub epoch: u64,
    /// The epoch's id.
    pub epoch_id: Uuid,
    /// Its drives: id, and name at that time, for messages.
    pub members: Vec<(DriveId, String)>,
}

impl Mark {
    /// A mark in the present format.
    #[must_use]
    pub fn new(store: Uuid, epoch: u64, epoch_id: Uuid, members: Vec<(DriveId, String)>) -> Self {
        Self { format: FORMAT, store, epoch, epoch_id, members }
    }
}

/// Keeps the mark on a medium that is none of the drives.
pub trait Witness: Send {
    /// The mark, if one was ever made.
    ///
    /// # Errors
    /// When that cannot be told.
    fn load(&self) -> Result<Option<Mark>, StoreError>;

    /// Makes `mark` the mark, durably; a crash leaves it or the one before.
    ///
    /// # Errors
    /// When it cannot be written.
    fn store(&mut self, mark: &Mark) -> Result<(), StoreError>;
}

/// The mark in a private file.
#[derive(Debug)]
pub struct FileWitness(PathBuf);

impl FileWitness {
    /// The file at `path`, whose directory exists.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    fn illegible(&self, reason: impl ToString) -> StoreError {
        StoreError::Unavailable { path: self.0.clone(), reason: reason.to_string() }
    }
}

impl Witness for FileWitness {
    fn load(&self) -> Result<Option<Mark>, StoreError> {
        let file = match private_file::open_no_follow(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            outcome => outcome.map_err(StateError::io("open", &self.0))?,
        };
        let meta = file.metadata().map_err(StateError::io("open", &self.0))?;
        private_file::check_file(&meta).map_err(StateError::not_private(&self.0))?;
        let mut bytes = vec![0; MAX_LEN];
        let len = private_file::read_limited(&file, &mut bytes).map_err(StateError::io("read", &self.0))?;
        let mark: Mark = serde_json::from_slice(&bytes[..len]).map_err(|error| self.illegible(error))?;
        if mark.format == FORMAT {
            Ok(Some(mark))
        } else {
            Err(self.illegible(format!("its format is {}", mark.format)))
        }
    }

    fn store(&mut self, mark: &Mark) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec(mark).map_err(|error| self.illegible(error))?;
        Ok(private_file::replace(&self.0, &bytes).map_err(StateError::io("write", &self.0))?)
    }
}
