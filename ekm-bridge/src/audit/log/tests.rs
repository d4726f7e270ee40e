use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::super::entry::Outcome;
use super::super::line::hex;
use super::super::verify::{VerifyError, verify};
use super::*;

pub(super) const NOW: UnixSeconds = UnixSeconds(1_700_000_000);

pub(super) fn event(parameters: Value) -> AuditEvent {
    AuditEvent {
        time: NOW,
        user: "admin".into(),
        role: "administrator".into(),
        source: "192.0.2.1".into(),
        method: "CreateKeyProviderKmip".into(),
        parameters,
        outcome: Outcome::Success,
    }
}

/// A log with `count` entries; its folder, path and heads.
pub(super) fn written(count: u64) -> (tempfile::TempDir, PathBuf, Vec<Head>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let mut log = AuditLog::open(&path, DEFAULT_LIMIT, NOW).unwrap();
    let heads = (0..count).map(|n| log.append(&event(json!({"n": n}))).unwrap()).collect();
    (dir, path, heads)
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn write_lines(path: &Path, lines: &[String]) {
    fs::write(path, lines.iter().map(|line| format!("{line}\n")).collect::<String>()).unwrap();
}

#[test]
fn entries_chain_over_restarts_and_verify() {
    let (_dir, path, heads) = written(3);
    let mut log = AuditLog::open(&path, DEFAULT_LIMIT, NOW).unwrap();
    assert_eq!(log.head(), heads[2]);
    let last = log.append(&event(json!({}))).unwrap();
    assert_eq!(last.sequence, 4);
    for known in heads.iter().copied().chain([Head::EMPTY, last]) {
        assert_eq!(verify(&path, Some(known)).unwrap(), last);
    }
    let first: Value = serde_json::from_str(&lines(&path)[0]).unwrap();
    assert_eq!(first["hash"], hex(&heads[0].hash));
    assert_eq!((&first["entry"]["sequence"], &first["entry"]["user"]), (&json!(1), &json!("admin")));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_first_broken_link_is_named_with_both_hashes() {
    let (_dir, path, heads) = written(5);
    let good = lines(&path);
    let altered = good[2].replace("admin", "nobody");
    let mut bad = good.clone();
    bad[2].clone_from(&altered);
    write_lines(&path, &bad);
    let error = verify(&path, None).unwrap_err();
    let VerifyError::Broken { source: Broken::Link { line, expected, found }, .. } = error else { panic!("{error}") };
    assert_eq!((line, found), (3, heads[2].hash));
    assert_eq!(expected, heads[1].after(super::super::line::parse(altered.as_bytes()).unwrap().1).hash);
    assert!(matches!(AuditLog::open(&path, DEFAULT_LIMIT, NOW), Err(AuditError::Broken { .. })));
    assert_eq!(lines(&path), bad, "a broken log is left as it is");
}

#[test]
fn lines_removed_inserted_or_moved_break_the_chain_where_it_happened() {
    let (_dir, path, _) = written(5);
    let good = lines(&path);
    let removed: Vec<String> = [&good[..1], &good[2..]].concat();
    let inserted: Vec<String> = [&good[..2], &good[1..]].concat();
    let moved = vec![good[1].clone(), good[0].clone()];
    for (lines, broken_at) in [(removed, 2), (inserted, 3), (moved, 1)] {
        write_lines(&path, &lines);
        let error = verify(&path, None).unwrap_err();
        assert!(
            matches!(error, VerifyError::Broken { source: Broken::Link { line, .. }, .. } if line == broken_at),
            "{error}"
        );
    }
    write_lines(&path, &["hello".into()]);
    let error = verify(&path, None).unwrap_err();
    assert!(matches!(error, VerifyError::Broken { source: Broken::NotAnEntry { line: 1 }, .. }), "{error}");
}

#[test]
fn whole_lines_cut_off_and_a_new_chain_are_found_by_a_head_from_elsewhere() {
    let (_dir, path, heads) = written(4);
    write_lines(&path, &lines(&path)[..2]);
    assert_eq!(verify(&path, None).unwrap(), heads[1], "without a known head nothing shows");
    let error = verify(&path, Some(heads[3])).unwrap_err();
    assert!(matches!(error, VerifyError::Truncated { found, .. } if found == heads[1]), "{error}");

    fs::remove_file(&path).unwrap();
    let mut log = AuditLog::open(&path, DEFAULT_LIMIT, NOW).unwrap();
    let forged: Vec<Head> = (0..4).map(|_| log.append(&event(json!("forged"))).unwrap()).collect();
    let error = verify(&path, Some(heads[3])).unwrap_err();
    assert!(matches!(error, VerifyError::Rewritten { found, .. } if found == forged[3]), "{error}");
}

#[test]
fn a_full_log_refuses_and_keeps_what_it_has() {
    let (_dir, path, _) = written(2);
    let len = fs::metadata(&path).unwrap().len();
    let mut log = AuditLog::open(&path, len + 10, NOW).unwrap();
    assert_eq!(log.room(), 10);
    assert!(matches!(log.append(&event(json!({}))), Err(AuditError::Full { .. })));
    assert_eq!(fs::metadata(&path).unwrap().len(), len);
    drop(log);
    let mut larger = AuditLog::open(&path, DEFAULT_LIMIT, NOW).unwrap();
    larger.append(&event(json!({}))).unwrap();
}

#[test]
fn two_writers_exclude_each_other_and_others_are_kept_out() {
    let (_dir, path, _) = written(1);
    let log = AuditLog::open(&path, DEFAULT_LIMIT, NOW).unwrap();
    assert!(matches!(AuditLog::open(&path, DEFAULT_LIMIT, NOW), Err(AuditError::InUse(_))));
    drop(log);
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let error = AuditLog::open(&path, DEFAULT_LIMIT, NOW).err().unwrap();
    assert!(matches!(error, AuditError::File(StateError::NotPrivate { .. })), "{error}");
}

#[test]
fn secrets_in_parameters_never_reach_the_file() {
    let (_dir, path, _) = written(0);
    let mut log = AuditLog::open(&path, DEFAULT_LIMIT, NOW).unwrap();
    log.append(&event(json!({"username": "a", "password": "correct horse", "x": {"initiatorSecret": "battery"}})))
        .unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("correct horse") && !text.contains("battery"), "{text}");
}

/// A file whose writes or syncs fail after some that work.
struct Failing {
    appends_left: usize,
    syncs_left: usize,
    written: Arc<Mutex<Vec<u8>>>,
}

fn spend(left: &mut usize) -> io::Result<()> {
    *left = left.checked_sub(1).ok_or_else(|| io::Error::other("no more"))?;
    Ok(())
}

impl LogFile for Failing {
    fn write_at(&mut self, _: u64, bytes: &[u8]) -> io::Result<()> {
        spend(&mut self.appends_left)?;
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    fn set_len(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        spend(&mut self.syncs_left)
    }
}

#[test]
fn after_a_failed_write_or_sync_the_log_takes_nothing_more() {
    for (appends_left, syncs_left) in [(1, 9), (9, 1)] {
        let written = Arc::new(Mutex::new(Vec::new()));
        let file = Failing { appends_left, syncs_left, written: written.clone() };
        let mut log = AuditLog::over(Box::new(file), "audit.log".into(), Head::EMPTY, 0, DEFAULT_LIMIT);
        let first = log.append(&event(json!(1))).unwrap();
        assert!(matches!(log.append(&event(json!(2))), Err(AuditError::File(StateError::Io { .. }))));
        let len = written.lock().unwrap().len();
        assert!(matches!(log.append(&event(json!(3))), Err(AuditError::Latched(_))));
        assert_eq!((log.head(), written.lock().unwrap().len()), (first, len), "nothing is written after the failure");
    }
}
