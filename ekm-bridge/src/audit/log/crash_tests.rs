//! Power cuts at every byte of an append, and at every step of the recovery from one.

use std::fs;

use serde_json::{Value, json};

use super::super::line::MAX_LINE_LEN;
use super::super::scan::scan;
use super::super::verify::{VerifyError, verify};
use super::recover::METHOD;
use super::sim::{SECTOR, SimFile};
use super::tests::{NOW, event, written};
use super::*;

/// Opens `bytes` as a log; what it holds afterwards, and the head.
fn reopen(bytes: &[u8]) -> Result<(Vec<u8>, Head), AuditError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    private_file::create(&path, bytes).unwrap();
    let head = AuditLog::open(&path, DEFAULT_LIMIT, NOW)?.head();
    assert_eq!(verify(&path, Some(head)).unwrap(), head, "what was recovered verifies");
    Ok((fs::read(&path).unwrap(), head))
}

/// The bytes of a log with two entries, the second longer than a sector, and where the second begins.
fn two_entries() -> (Vec<u8>, usize, Vec<Head>) {
    let (_dir, path, mut heads) = written(1);
    let begin = fs::read(&path).unwrap().len();
    let mut log = AuditLog::open(&path, DEFAULT_LIMIT, NOW).unwrap();
    let names: Vec<String> = (0..4).map(|n| format!("{n}{}", "x".repeat(400))).collect();
    heads.push(log.append(&event(json!({ "names": names }))).unwrap());
    (fs::read(&path).unwrap(), begin, heads)
}

/// The parameters of the last entry, which must be the record of a cut.
fn record_of_cut(bytes: &[u8]) -> Value {
    let last = bytes.strip_suffix(b"\n").unwrap().rsplit(|byte| *byte == b'\n').next().unwrap();
    let line: Value = serde_json::from_slice(last).unwrap();
    assert_eq!(line["entry"]["method"], METHOD);
    line["entry"]["parameters"].clone()
}

#[test]
fn an_append_torn_at_any_byte_is_cut_and_the_cut_recorded() {
    let (bytes, begin, heads) = two_entries();
    assert!(bytes.len() - begin > 3 * SECTOR);
    for end in begin..=bytes.len() {
        let after = recover(&bytes[..end], usize::MAX).1.after_crash(0);
        assert_eq!(after[..begin], bytes[..begin], "what was acknowledged stays");
        let head = scan(&after[..], |_| {}).unwrap().head;
        match end {
            _ if end == begin => assert_eq!((head, after.len()), (heads[0], begin)),
            _ if end == bytes.len() => assert_eq!((head, after.len()), (heads[1], end)),
            _ => assert_eq!((head.sequence, &record_of_cut(&after)["cutBytes"]), (2, &json!(end - begin))),
        }
        if end % 97 == 0 {
            assert_eq!(reopen(&bytes[..end]).unwrap(), (after, head), "a file behaves as the simulation");
        }
    }
}

#[test]
fn an_append_whose_sectors_came_in_any_combination_is_cut_or_whole() {
    let (bytes, begin, heads) = two_entries();
    let sectors: Vec<usize> = (begin / SECTOR..=(bytes.len() - 1) / SECTOR).collect();
    for missing in 0..1_u32 << sectors.len() {
        let mut torn = bytes.clone();
        for (position, sector) in sectors.iter().enumerate().filter(|(position, _)| missing >> position & 1 == 1) {
            let _ = position;
            let (from, to) = ((sector * SECTOR).max(begin), ((sector + 1) * SECTOR).min(bytes.len()));
            torn[from..to].fill(0);
        }
        let (after, head) = reopen(&torn).unwrap();
        assert_eq!(after[..begin], bytes[..begin]);
        if missing == 0 { assert_eq!(head, heads[1]) } else { drop(record_of_cut(&after)) }
    }
}

/// Recovers `image` in memory up to a number of steps; whether that was enough, and what a power cut then leaves.
fn recover(image: &[u8], steps: usize) -> (bool, SimFile) {
    let mut file = SimFile::new(image, steps);
    let scanned = scan(image, |_| {}).expect("whatever a power cut leaves is no alteration");
    let is_done = recover::finish(&mut file, scanned, NOW).is_ok();
    (is_done, file)
}

#[test]
fn a_power_cut_at_any_step_of_the_recovery_leaves_a_log_that_recovers_and_records() {
    let (bytes, begin, _) = two_entries();
    let whole = |end: usize| bytes[..end].to_vec();
    let mut without_middle = whole(bytes.len());
    without_middle[begin + SECTOR..begin + 2 * SECTOR].fill(0);
    for torn in [whole(begin + 1), whole(begin + 100), whole(begin + SECTOR), whole(bytes.len() - 1), without_middle] {
        for steps in 0.. {
            let (is_done, file) = recover(&torn, steps);
            for seed in 0..64 {
                let left = file.after_crash(seed);
                assert_eq!(left[..begin], bytes[..begin], "what was acknowledged stays");
                let again = recover(&left, usize::MAX).1.after_crash(0);
                drop(record_of_cut(&again));
                assert!(scan(&again[..], |_| {}).unwrap().tail.is_empty());
            }
            if is_done {
                assert!(steps >= 5, "the recovery takes only {steps} steps: is it simulated at all?");
                break;
            }
        }
    }
}

#[test]
fn a_torn_line_is_reported_by_a_check_and_left_as_it_is() {
    let (_dir, path, heads) = written(2);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"hash\":\"00");
    fs::write(&path, &bytes).unwrap();
    let error = verify(&path, Some(heads[1])).unwrap_err();
    assert!(matches!(error, VerifyError::Torn { line: 3, len: 11, .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_whole_last_line_that_does_not_fit_is_an_alteration_and_not_a_torn_one() {
    let (bytes, begin, _) = two_entries();
    for position in (begin..bytes.len() - 1).step_by(7) {
        let mut altered = bytes.clone();
        altered[position] ^= 1;
        assert!(matches!(reopen(&altered), Err(AuditError::Broken { .. })), "byte {position}");
    }
}

#[test]
fn zeros_before_the_last_line_and_endless_lines_are_no_crash_of_ours() {
    let (mut bytes, begin, _) = two_entries();
    bytes[begin / 2] = 0;
    assert!(begin + SECTOR < bytes.len(), "a whole line follows");
    assert!(matches!(reopen(&bytes), Err(AuditError::Broken { source: Broken::NotAnEntry { line: 1 }, .. })));
    let endless = vec![b'x'; MAX_LINE_LEN + 1];
    assert!(matches!(reopen(&endless), Err(AuditError::Broken { source: Broken::TooLong { line: 1 }, .. })));
}
