//! What happens to the torn last line of a log.
//!
//! It is never cut without a trace: the entry that records the cut is written over it. Zeros go first, so that wherever
//! a crash comes, what is left behind the whole lines has a zero byte or no end, and the next opening begins anew.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::super::entry::{AuditEvent, Outcome};
use super::super::line::{Head, hex};
use super::super::scan::Scan;
use crate::time::UnixSeconds;

/// The method of the entry that records a cut.
pub(super) const METHOD: &str = "audit.recover";

/// Puts the file into order and its position at its end. Returns head and length.
pub(super) fn finish(file: &mut File, scanned: Scan, now: UnixSeconds) -> io::Result<(Head, u64)> {
    let Scan { head, len, tail } = scanned;
    if tail.is_empty() {
        file.seek(SeekFrom::Start(len))?;
        return Ok((head, len));
    }
    write_at(file, len, &vec![0; tail.len()])?;
    file.sync_all()?;
    let entry = event(&tail, now).encode(head.sequence + 1);
    let head = head.after(entry.as_bytes());
    let line = head.line(&entry);
    write_at(file, len, &line)?;
    let len = len + u64::try_from(line.len()).map_err(io::Error::other)?;
    file.set_len(len)?;
    file.sync_all()?;
    Ok((head, len))
}

fn write_at(file: &mut File, at: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

fn event(tail: &[u8], now: UnixSeconds) -> AuditEvent {
    AuditEvent {
        time: now,
        user: "sear".into(),
        role: "system".into(),
        source: "local".into(),
        method: METHOD.into(),
        parameters: json!({ "cutBytes": tail.len(), "sha256": hex(&Sha256::digest(tail)) }),
        outcome: Outcome::Success,
    }
}
