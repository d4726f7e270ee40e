//! What happens to the torn last line of a log.
//!
//! It is never cut without a trace: the entry that records the cut is written over it. Zeros go first, so that wherever
//! a crash comes, what is left behind the whole lines has a zero byte or no end, and the next opening begins anew.

use std::io;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::super::entry::{AuditEvent, Outcome};
use super::super::line::{Head, hex};
use super::super::scan::Scan;
use super::LogFile;
use crate::time::UnixSeconds;

/// The method of the entry that records a cut.
pub(super) const METHOD: &str = "audit.recover";

/// Puts the file into order. Returns head and length.
pub(super) fn finish(file: &mut dyn LogFile, scanned: Scan, now: UnixSeconds) -> io::Result<(Head, u64)> {
    let Scan { head, len, tail } = scanned;
    if tail.is_empty() {
        return Ok((head, len));
    }
    file.write_at(len, &vec![0; tail.len()])?;
    file.sync()?;
    let entry = event(&tail, now).encode(head.sequence + 1);
    let head = head.after(entry.as_bytes());
    let line = head.line(&entry);
    file.write_at(len, &line)?;
    let len = len + u64::try_from(line.len()).map_err(io::Error::other)?;
    file.set_len(len)?;
    file.sync()?;
    Ok((head, len))
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
