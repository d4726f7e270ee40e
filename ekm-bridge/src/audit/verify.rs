//! Checking a log without changing it.

use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::line::{Head, hex};
use super::scan::{Broken, ScanError, scan};
use crate::private_file;

/// Why a log is not what it was.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The log.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A link does not hold.
    #[error("{path}: {source}")]
    Broken {
        /// The log.
        path: PathBuf,
        /// The first one.
        source: Broken,
    },
    /// The last line is not whole. The next opening for writing cuts it off and says so in the log.
    #[error("{path}: line {line} is torn ({len} bytes without their end), as a power cut leaves it")]
    Torn {
        /// The log.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// Its length in bytes.
        len: usize,
    },
    /// Entries are missing at the end.
    #[error("{path} ends after entry {}, but entry {} was known", .found.sequence, .known.sequence)]
    Truncated {
        /// The log.
        path: PathBuf,
        /// What was known.
        known: Head,
        /// What is there.
        found: Head,
    },
    /// The chain holds, and is not the one that was known: everything was written anew.
    #[error("{path}: entry {} has the hash {}, but {} was known", .found.sequence, hex(&.found.hash), hex(&.known.hash))]
    Rewritten {
        /// The log.
        path: PathBuf,
        /// What was known.
        known: Head,
        /// What is there in its place.
        found: Head,
    },
}

/// Checks every link of the log at `path`, and that it still contains `known`, a head from elsewhere. Returns its head.
///
/// # Errors
/// The first thing that is wrong.
pub fn verify(path: &Path, known: Option<Head>) -> Result<Head, VerifyError> {
    let owned = || path.to_owned();
    let io = |source| VerifyError::Io { path: owned(), source };
    let reader = BufReader::new(private_file::open_no_follow(path).map_err(io)?);
    let mut there = known.filter(|known| known.sequence == 0).map(|_| Head::EMPTY);
    let scanned = scan(reader, |head| {
        if known.is_some_and(|known| known.sequence == head.sequence) {
            there = Some(head);
        }
    });
    let scanned = scanned.map_err(|error| match error {
        ScanError::Broken(source) => VerifyError::Broken { path: owned(), source },
        ScanError::Io(source) => io(source),
    })?;
    compare(path, known, there, scanned.head)?;
    match scanned.tail.len() {
        0 => Ok(scanned.head),
        len => Err(VerifyError::Torn { path: owned(), line: scanned.head.sequence + 1, len }),
    }
}

/// Compares what was known with what is there at the same number.
fn compare(path: &Path, known: Option<Head>, there: Option<Head>, last: Head) -> Result<(), VerifyError> {
    match (known, there) {
        (Some(known), None) => Err(VerifyError::Truncated { path: path.to_owned(), known, found: last }),
        (Some(known), Some(found)) if known != found => {
            Err(VerifyError::Rewritten { path: path.to_owned(), known, found })
        }
        _ => Ok(()),
    }
}
