//! The metadata drives: the copies of what is remembered.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use serde_json::json;

use crate::cluster::control::{ClusterControl, NODE};
use crate::cluster::errors::{api, of_drive, of_record};
use crate::private_file;
use crate::records::{self, AsyncHandle, AsyncState, Drive, DriveNumber, DriveStatus, drive_report};
use crate::rpc::control::{Drives, Outcome};
use crate::rpc::types::async_results::AsyncResultType;
use crate::rpc::types::drives::{self as shown, AddDriveType, DriveInfo, DriveType, NewDrive, ResetDrive};
use crate::rpc::types::{AsyncHandleId, DriveId};
use crate::rpc::{ApiError, ErrorName};
use crate::state_dir::StateDir;
use crate::store::ReplicatedStore;
use crate::store::replicated::DirectoryDrive;

impl Drives for ClusterControl {
    fn drives(&self) -> Outcome<Vec<DriveInfo>> {
        self.report_drives()?;
        let drives: Vec<Drive> = self.records.table().list().map_err(of_record)?;
        Ok(drives.iter().map(show).collect())
    }

    fn add_drives(&self, drives: &[NewDrive]) -> Outcome<Option<AsyncHandleId>> {
        if drives.iter().any(|drive| drive.kind == Some(AddDriveType::Block)) {
            return Err(ApiError::new(ErrorName::ApiNotPermitted, "drives hold metadata here: type slice or volume"));
        }
        let ids: Vec<DriveId> = drives.iter().map(|drive| drive.id).collect();
        let chosen = self.drives_in(&ids, &[DriveStatus::Available, DriveStatus::Failed])?;
        let handle = self.work(AsyncResultType::DriveAdd, &ids, || {
            let store = self.replicated()?;
            chosen.iter().try_for_each(|drive| {
                store.add_drive(Box::new(DirectoryDrive::new(&drive.path))).map(drop).map_err(of_drive)
            })
        })?;
        Ok(Some(handle))
    }

    fn remove_drives(&self, drives: &[DriveId]) -> Outcome<AsyncHandleId> {
        let chosen = self.drives_in(drives, &[DriveStatus::Active, DriveStatus::Failed])?;
        self.work(AsyncResultType::DriveRemoval, drives, || {
            let store = self.replicated()?;
            chosen.iter().try_for_each(|drive| {
                // Before: after a crash the drive takes part, or it is known that it need not. After: somebody may have
                // looked in between.
                self.set_status(drive.id, DriveStatus::Available)?;
                store.remove_drive(&drive.path.display().to_string()).map_err(of_drive)?;
                self.set_status(drive.id, DriveStatus::Available)
            })
        })
    }

    fn erase_drives(&self, drives: &[DriveId]) -> Outcome<AsyncHandleId> {
        let chosen = self.drives_in(drives, &[DriveStatus::Available])?;
        self.work(AsyncResultType::DriveSecureErase, drives, || {
            chosen.iter().try_for_each(|drive| {
                self.set_status(drive.id, DriveStatus::Erasing)?;
                let erased = erase(&drive.path).map_err(|error| api(ErrorName::DriveNotAvailable, error));
                self.set_status(drive.id, DriveStatus::Available)?;
                erased
            })
        })
    }

    fn reset_drives(&self, _names: &[String]) -> Outcome<Vec<ResetDrive>> {
        let message = "a metadata drive is a directory here and has no slot to reset; use SecureEraseDrives";
        Err(ApiError::new(ErrorName::ApiNotPermitted, message))
    }
}

impl ClusterControl {
    /// Brings what the store says of its drives into records and faults.
    pub(super) fn report_drives(&self) -> Outcome<()> {
        let Some(store) = &self.drives else { return Ok(()) };
        drive_report::report(&self.records, &store.health(), self.now()).map_err(of_record)
    }

    fn replicated(&self) -> Outcome<&ReplicatedStore> {
        let none = || ApiError::new(ErrorName::ApiNotPermitted, "this node keeps its records without metadata drives");
        self.drives.as_deref().ok_or_else(none)
    }

    /// The records of these drives, each of which must be in one of these states.
    fn drives_in(&self, ids: &[DriveId], allowed: &[DriveStatus]) -> Outcome<Vec<Drive>> {
        self.report_drives()?;
        let drive = |id: &DriveId| {
            let drive: Drive = self.records.table().need(DriveNumber(id.0)).map_err(of_record)?;
            if allowed.contains(&drive.status) {
                return Ok(drive);
            }
            let message = format!("drive {id} is {}", status(drive.status).as_str());
            Err(ApiError::new(ErrorName::DriveNotAvailable, message))
        };
        ids.iter().map(drive).collect()
    }

    /// Does the work and keeps how it went as an asynchronous result, which is final when this returns.
    fn work(
        &self,
        kind: AsyncResultType,
        ids: &[DriveId],
        work: impl FnOnce() -> Outcome<()>,
    ) -> Outcome<AsyncHandleId> {
        let results = records::AsyncResults::new(&self.records);
        let handle: AsyncHandle = results.begin(kind.as_str(), self.now()).map_err(of_record)?;
        let end = match work() {
            Ok(()) => AsyncState::Succeeded(json!({ "drives": ids })),
            Err(error) => AsyncState::Failed { name: error.name.as_str().to_owned(), message: error.message },
        };
        self.report_drives()?;
        results.finish(handle, end, self.now()).map_err(of_record)?;
        self.changed(&format!("{} ended for the drives {ids:?}.", kind.as_str()))?;
        Ok(AsyncHandleId(handle.0))
    }

    /// Ends the results of work on drives that an earlier process was in the middle of: nobody goes on with it.
    pub(super) fn end_drive_work(&self) -> Outcome<()> {
        let results = records::AsyncResults::new(&self.records);
        let kinds = [AsyncResultType::DriveAdd, AsyncResultType::DriveRemoval, AsyncResultType::DriveSecureErase];
        let listed = results.list(&kinds.map(AsyncResultType::as_str)).map_err(of_record)?;
        listed.iter().filter(|result| !result.state.is_final()).try_for_each(|result| {
            let message = "the daemon ended in the middle of it; ListDrives tells what became of the drives".to_owned();
            let end = AsyncState::Failed { name: ErrorName::ApiNotPermitted.as_str().to_owned(), message };
            results.finish(result.handle, end, self.now()).map_err(of_record)
        })
    }

    fn set_status(&self, id: DriveNumber, status: DriveStatus) -> Outcome<()> {
        let set = |drive: &mut Drive| (drive.status, drive.failure) = (status, None);
        self.records.table().update(id, set).map(drop).map_err(of_record)
    }
}

/// Overwrites the copy in a directory once and removes it. The keys in it are wrapped under the node's root key, which is
/// elsewhere; on flash memory the old blocks may stay readable to whoever opens the device.
///
/// The copy loses its name first: half overwritten, it would be a damaged drive. A repeat goes on with what a crash left.
fn erase(path: &Path) -> io::Result<()> {
    let dir = StateDir::existing(path).map_err(io::Error::other)?;
    let _lock = dir.lock().map_err(io::Error::other)?;
    let file = dir.store_path().with_extension("erasing");
    overwrite(&file)?;
    match fs::rename(dir.store_path(), &file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => (),
        renamed => renamed?,
    }
    fs::File::open(path)?.sync_all()?;
    overwrite(&file)?;
    // What a crash may have left when the store was written anew.
    overwrite(&dir.store_path().with_extension("redb.old"))?;
    fs::File::open(path)?.sync_all()
}

/// Overwrites a file, if there is one, and removes it.
fn overwrite(file: &Path) -> io::Result<()> {
    let mut store = match OpenOptions::new().write(true).open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    private_file::overwrite(&mut store)?;
    fs::remove_file(file)
}

fn show(drive: &Drive) -> DriveInfo {
    let name = drive.path.display().to_string();
    DriveInfo {
        id: DriveId(drive.id.0),
        node: NODE,
        serial: name,
        slot: 0,
        chassis_slot: String::new(),
        capacity: drive.capacity,
        usable_capacity: drive.capacity,
        segment_file_size: 0,
        status: status(drive.status),
        kind: DriveType::Volume,
        attributes: serde_json::Map::new(),
        drive_failure_detail: Some(drive.failure.clone().unwrap_or_else(|| "none".into())),
        drive_security_fault_reason: Some("none".into()),
        provider: None,
        key: drive.key.map(|key| key.0),
    }
}

fn status(status: DriveStatus) -> shown::DriveStatus {
    match status {
        DriveStatus::Available => shown::DriveStatus::Available,
        DriveStatus::Active => shown::DriveStatus::Active,
        DriveStatus::Erasing => shown::DriveStatus::Erasing,
        DriveStatus::Failed => shown::DriveStatus::Failed,
        DriveStatus::Removing => shown::DriveStatus::Removing,
    }
}
