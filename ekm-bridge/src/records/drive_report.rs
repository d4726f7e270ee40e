//! What the replicated store says of its drives, brought into the records: a status for each, and a fault for each that
//! takes no part although it should.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::drives::{self, Drive, DriveKind, DriveStatus};
use super::faults::{Fault, Faults, NewFault, Severity};
use super::{RecordError, Records};
use crate::store::replicated::{DriveHealth, Health};
use crate::time::UnixSeconds;

/// The fault of a metadata drive that takes no part.
pub const UNHEALTHY: &str = "sliceServiceUnhealthy";

/// Seconds after which its warning becomes an error.
pub const GRACE: u64 = 360;

/// Writes only what has changed, so it can be called as often as one likes.
///
/// # Errors
/// When the store fails.
pub fn report(records: &Records, health: &[DriveHealth], now: UnixSeconds) -> Result<(), RecordError> {
    health.iter().try_for_each(|drive| report_one(records, drive, now))
}

fn report_one(records: &Records, seen: &DriveHealth, now: UnixSeconds) -> Result<(), RecordError> {
    let known = recorded(records, seen)?;
    let (status, failure) = status(&seen.health, known.status);
    if (known.status, &known.failure) != (status, &failure) {
        records.table().update(known.id, |drive: &mut Drive| {
            (drive.status, drive.failure) = (status, failure.clone());
        })?;
    }
    let (faults, subject) = (Faults::new(records), format!("drive/{}", known.id));
    match (&seen.health, status) {
        (Health::Failed(why), DriveStatus::Failed) => {
            let since = faults.current(UNHEALTHY, &subject)?.map_or(now, |fault: Fault| fault.date);
            faults.raise(&fault(&known, subject, why, severity(since, now)), now).map(drop)
        }
        _ => faults.resolve(UNHEALTHY, &subject, now).map(drop),
    }
}

/// The record of the drive in this directory, made when it is new.
fn recorded(records: &Records, seen: &DriveHealth) -> Result<Drive, RecordError> {
    let name = seen.name.as_str();
    let found = records.table::<Drive>().find(drives::BY_PATH, name)?;
    let of_name = |drive: &Drive| drive.path == Path::new(name);
    match found.into_iter().find(of_name) {
        Some(drive) => Ok(drive),
        None => match records.table::<Drive>().list()?.into_iter().find(of_name) {
            Some(drive) => Ok(drive),
            None => records.table().insert(|id| Drive {
                id,
                kind: DriveKind::Metadata,
                path: PathBuf::from(name),
                capacity: 0,
                // What is new and failed takes no part although it should.
                status: status(&seen.health, DriveStatus::Active).0,
                failure: None,
                key: None,
            }),
        },
    }
}

/// A drive that need not take part, because it was removed, has not failed: its copy may be old, or away. So it is with one
/// whose erasure a crash cut short.
fn status(health: &Health, known: DriveStatus) -> (DriveStatus, Option<String>) {
    let is_needed = !matches!(known, DriveStatus::Available | DriveStatus::Erasing);
    match health {
        Health::Failed(why) if !is_needed => (DriveStatus::Available, Some(why.clone())),
        Health::InUse => (DriveStatus::Active, None),
        Health::Available(_) => (DriveStatus::Available, None),
        Health::Failed(why) => (DriveStatus::Failed, Some(why.clone())),
    }
}

fn severity(since: UnixSeconds, now: UnixSeconds) -> Severity {
    if now.0.saturating_sub(since.0) < GRACE { Severity::Warning } else { Severity::Error }
}

fn fault(drive: &Drive, subject: String, why: &str, severity: Severity) -> NewFault {
    NewFault {
        code: UNHEALTHY.into(),
        subject,
        severity,
        kind: "service".into(),
        details: format!("The metadata drive {} takes no part: {why}", drive.path.display()),
        ids: Map::from_iter([("driveID".to_owned(), Value::from(drive.id.0))]),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::records::faults::Which;
    use crate::store::MemoryStore;

    fn seen(health: Health) -> [DriveHealth; 1] {
        [DriveHealth { name: "/disks/a".into(), id: None, health }]
    }

    #[test]
    fn a_failed_drive_is_a_warning_that_becomes_an_error_and_ends_with_its_return() {
        let store = Arc::new(MemoryStore::new());
        let records = Records::new(store.clone());
        let faults = Faults::new(&records);
        let failed = seen(Health::Failed("it broke".into()));
        for (now, severity) in [(100, Severity::Warning), (100 + GRACE, Severity::Error)] {
            report(&records, &failed, UnixSeconds(now)).unwrap();
            let current = faults.list(Which::Current).unwrap();
            assert_eq!((current.len(), current[0].what.severity), (1, severity), "at {now}");
        }
        let before = store.snapshot();
        report(&records, &failed, UnixSeconds(101 + GRACE)).unwrap();
        assert_eq!(store.snapshot(), before, "nothing new, nothing written");
        report(&records, &seen(Health::InUse), UnixSeconds(200 + GRACE)).unwrap();
        assert!(faults.list(Which::Current).unwrap().is_empty());
        let drives = records.table::<Drive>().list().unwrap();
        assert_eq!((drives.len(), drives[0].status, &drives[0].failure), (1, DriveStatus::Active, &None));
    }

    #[test]
    fn a_drive_that_was_removed_has_not_failed_when_its_copy_is_old_or_away() {
        let records = Records::new(Arc::new(MemoryStore::new()));
        report(&records, &seen(Health::InUse), UnixSeconds(100)).unwrap();
        let drive = records.table::<Drive>().list().unwrap().remove(0).id;
        for status in [DriveStatus::Available, DriveStatus::Erasing] {
            records.table().update(drive, |drive: &mut Drive| drive.status = status).unwrap();
            report(&records, &seen(Health::Failed("its copy is old".into())), UnixSeconds(200)).unwrap();
            assert!(Faults::new(&records).list(Which::Current).unwrap().is_empty());
            let drive = records.table::<Drive>().list().unwrap().remove(0);
            assert_eq!((drive.status, drive.failure.as_deref()), (DriveStatus::Available, Some("its copy is old")));
        }
    }
}
