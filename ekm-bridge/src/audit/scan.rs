//! Reading a log from its beginning: every link is checked, and what stands behind the last whole line is told apart.
//!
//! A *whole line* ends with a line break and contains no zero byte. Whatever a power cut leaves of the last append is
//! not whole: either its end is missing, or a sector that was never written reads as zeros. A whole line that does not
//! fit the chain was altered, and nobody here repairs it.

use std::io::{self, BufRead, Read};

use serde::Deserialize;

use super::line::{Hash, Head, MAX_LINE_LEN, hex, parse};

/// The first link of a chain that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The line, or one before it, was altered, removed, inserted or moved.
    #[error("line {line}: the chain is broken: the hash should be {expected} and is {found}", expected = hex(.expected), found = hex(.found))]
    Link {
        /// Line number, from 1.
        line: u64,
        /// The hash that follows from the line before and this entry.
        expected: Hash,
        /// The hash in the line.
        found: Hash,
    },
    /// The line is whole and is not a line of a log.
    #[error("line {line}: it is not an entry of an audit log")]
    NotAnEntry {
        /// Line number, from 1.
        line: u64,
    },
    /// The hashes hold, and the number does not: the whole log was written by something else.
    #[error("line {line}: the entry says that it is number {found}")]
    Sequence {
        /// Line number, from 1.
        line: u64,
        /// The number in the entry.
        found: u64,
    },
    /// No line of a log is this long.
    #[error("line {line}: it is longer than {MAX_LINE_LEN} bytes")]
    TooLong {
        /// Line number, from 1.
        line: u64,
    },
}

/// The most that a torn append and torn recoveries from it leave.
const MAX_TAIL_LEN: usize = 2 * MAX_LINE_LEN;

/// What a scan found.
#[derive(Debug)]
pub(super) struct Scan {
    /// The head of the whole lines.
    pub(super) head: Head,
    /// Their length in bytes.
    pub(super) len: u64,
    /// What stands behind them: the torn rest of an append, or nothing.
    pub(super) tail: Vec<u8>,
}

/// Why a scan did not reach the end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScanError {
    #[error(transparent)]
    Broken(#[from] Broken),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads a whole log; `each` sees every head on the way.
pub(super) fn scan(mut reader: impl BufRead, mut each: impl FnMut(Head)) -> Result<Scan, ScanError> {
    let mut found = Scan { head: Head::EMPTY, len: 0, tail: Vec::new() };
    loop {
        let number = found.head.sequence + 1;
        let line = read_line(&mut reader, number)?;
        if line.is_empty() {
            return Ok(found);
        }
        let Some(whole) = whole(&line) else {
            found.tail = line;
            return at_end(&mut reader, found, number);
        };
        found.head = next(found.head, whole)?;
        found.len += u64::try_from(line.len()).map_err(io::Error::other)?;
        each(found.head);
    }
}

/// The next line with its line break, if it has one.
fn read_line(reader: &mut impl BufRead, number: u64) -> Result<Vec<u8>, ScanError> {
    let mut line = Vec::new();
    let limit = u64::try_from(MAX_LINE_LEN + 1).map_err(io::Error::other)?;
    reader.by_ref().take(limit).read_until(b'\n', &mut line)?;
    if line.len() > MAX_LINE_LEN { Err(Broken::TooLong { line: number }.into()) } else { Ok(line) }
}

/// The content of a whole line.
fn whole(line: &[u8]) -> Option<&[u8]> {
    line.strip_suffix(b"\n").filter(|line| !line.contains(&0))
}

/// Nothing whole can follow a torn line. A second torn piece can: the zeros behind a recovery that was torn as well.
fn at_end(reader: &mut impl BufRead, mut found: Scan, number: u64) -> Result<Scan, ScanError> {
    loop {
        let piece = read_line(reader, number)?;
        if piece.is_empty() {
            return Ok(found);
        }
        if whole(&piece).is_some() {
            return Err(Broken::NotAnEntry { line: number }.into());
        }
        found.tail.extend_from_slice(&piece);
        if found.tail.len() > MAX_TAIL_LEN {
            return Err(Broken::TooLong { line: number }.into());
        }
    }
}

/// The head after one whole line.
fn next(head: Head, line: &[u8]) -> Result<Head, Broken> {
    #[derive(Deserialize)]
    struct Numbered {
        sequence: u64,
    }
    let number = head.sequence + 1;
    let (hash, entry) = parse(line).ok_or(Broken::NotAnEntry { line: number })?;
    let after = head.after(entry);
    if after.hash != hash {
        return Err(Broken::Link { line: number, expected: after.hash, found: hash });
    }
    let entry: Numbered = serde_json::from_slice(entry).map_err(|_| Broken::NotAnEntry { line: number })?;
    if entry.sequence == number { Ok(after) } else { Err(Broken::Sequence { line: number, found: entry.sequence }) }
}
