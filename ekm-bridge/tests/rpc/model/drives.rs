//! Drives.

use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{Drives, Outcome};
use ekm_bridge::rpc::types::async_results::{AsyncOutcome, AsyncResultType};
use ekm_bridge::rpc::types::drives::{AddDriveType, DriveInfo, DriveStatus, DriveType, NewDrive, ResetDrive};
use ekm_bridge::rpc::types::{AsyncHandleId, DriveId};
use serde_json::json;

use super::{Model, NODE, State, fail};

impl Drives for Model {
    fn drives(&self) -> Outcome<Vec<DriveInfo>> {
        Ok(self.state().drives.values().cloned().collect())
    }

    fn add_drives(&self, drives: &[NewDrive]) -> Outcome<Option<AsyncHandleId>> {
        let mut state = self.state();
        let ids: Vec<DriveId> = drives.iter().map(|drive| drive.id).collect();
        state.check(&ids, &[DriveStatus::Available])?;
        for drive in drives {
            let kind = match drive.kind {
                Some(AddDriveType::Slice | AddDriveType::Volume) => DriveType::Volume,
                Some(AddDriveType::Block) | None => DriveType::Block,
            };
            state.change(drive.id, |info| (info.status, info.kind) = (DriveStatus::Active, kind));
        }
        Ok(Some(state.begin(AsyncResultType::DriveAdd, vec![done()])))
    }

    fn remove_drives(&self, drives: &[DriveId]) -> Outcome<AsyncHandleId> {
        let mut state = self.state();
        state.check(drives, &[DriveStatus::Active, DriveStatus::Failed])?;
        for id in drives {
            state.change(*id, |info| info.status = DriveStatus::Available);
        }
        Ok(state.begin(AsyncResultType::DriveRemoval, vec![done()]))
    }

    fn erase_drives(&self, drives: &[DriveId]) -> Outcome<AsyncHandleId> {
        let mut state = self.state();
        state.check(drives, &[DriveStatus::Available])?;
        for id in drives {
            state.change(*id, |info| info.status = DriveStatus::Erasing);
        }
        Ok(state.begin(AsyncResultType::DriveSecureErase, vec![AsyncOutcome::Details(json!({})), done()]))
    }

    fn reset_drives(&self, names: &[String]) -> Outcome<Vec<ResetDrive>> {
        let reset = |name: &String| {
            let is_known = self.state().drives.values().any(|drive| drive.chassis_slot == *name);
            let stderr = if is_known { String::new() } else { format!("no drive {name}") };
            ResetDrive { drive: name.clone(), return_code: i32::from(!is_known), stderr, stdout: String::new() }
        };
        Ok(names.iter().map(reset).collect())
    }
}

impl State {
    fn check(&self, ids: &[DriveId], allowed: &[DriveStatus]) -> Outcome<()> {
        for id in ids {
            match self.drives.get(id) {
                None => return fail(ErrorName::DriveDoesNotExist, format!("there is no drive {id}")),
                Some(drive) if !allowed.contains(&drive.status) => {
                    return fail(ErrorName::DriveNotAvailable, format!("drive {id} is {}", drive.status.as_str()));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn change(&mut self, id: DriveId, change: impl FnOnce(&mut DriveInfo)) {
        change(self.drives.get_mut(&id).expect("checked before"));
    }
}

fn done() -> AsyncOutcome {
    AsyncOutcome::Result(json!({}))
}

/// A drive nobody uses yet.
pub(super) fn available(slot: u64) -> DriveInfo {
    DriveInfo {
        id: DriveId(slot),
        node: NODE,
        serial: format!("MODEL{slot:04}"),
        slot,
        chassis_slot: format!("slot{slot}"),
        capacity: 1_000_000_000_000,
        usable_capacity: 999_000_000_000,
        segment_file_size: 0,
        status: DriveStatus::Available,
        kind: DriveType::Unknown,
        attributes: serde_json::Map::new(),
        drive_failure_detail: Some("none".into()),
        drive_security_fault_reason: Some("none".into()),
        provider: None,
        key: None,
    }
}
