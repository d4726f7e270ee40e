//! Looks at a file or device before anything is written to it: known signatures first, then any byte that is not zero.

mod scan;
mod signature;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;

use keywrap::medium::Medium;
use serde::Serialize;

/// Something that writing would destroy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Finding {
    /// Byte offset of the evidence.
    pub(crate) offset: u64,
    /// What it is, in words.
    pub(crate) what: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.what, self.offset)
    }
}

/// What would be lost, by offset; empty when nothing was found. The head (16 MiB) and the tail (1 MiB) are read whole.
///
/// # Errors
/// The medium's own error.
pub(crate) fn examine(medium: &dyn Medium) -> io::Result<Vec<Finding>> {
    let mut findings = table::signatures(medium)?;
    if findings.is_empty() {
        findings.extend(scan::first_nonzero(medium)?);
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// Whether either place where LUKS keeps its first header, or any place of the second, carries the LUKS2 magic.
///
/// # Errors
/// The medium's own error.
pub(crate) fn has_luks2(medium: &dyn Medium) -> io::Result<bool> {
    table::LUKS2.iter().try_fold(false, |found, signature| Ok(found || signature.find(medium)?.is_some()))
}
