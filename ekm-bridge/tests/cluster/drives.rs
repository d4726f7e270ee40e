//! Metadata drives through the API.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ekm_bridge::ReplicatedStore;
use ekm_bridge::cluster::ClusterControl;
use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{AsyncResults, Drives};
use ekm_bridge::rpc::types::DriveId;
use ekm_bridge::rpc::types::drives::{AddDriveType, DriveStatus, NewDrive};
use ekm_bridge::store::Snapshot;
use ekm_bridge::store::replicated::{DirectoryDrive, Drive, FileWitness};

use crate::rig::{World, create_cluster, current_faults, is_done, refused};

struct Disks(tempfile::TempDir);

impl Disks {
    fn new(count: usize) -> Self {
        let disks = Self(tempfile::tempdir().unwrap());
        (0..count).for_each(|number| DirBuilder::new().mode(0o700).create(disks.path(number)).unwrap());
        disks
    }

    fn path(&self, number: usize) -> PathBuf {
        self.0.path().join(format!("d{number}"))
    }

    fn witness(&self) -> Box<FileWitness> {
        Box::new(FileWitness::new(&self.0.path().join("witness.json")))
    }

    fn open(&self, count: usize) -> Arc<ReplicatedStore> {
        let drive = |number| Box::new(DirectoryDrive::new(&self.path(number))) as Box<dyn Drive>;
        Arc::new(ReplicatedStore::open((0..count).map(drive).collect(), self.witness()).unwrap())
    }
}

fn statuses(control: &ClusterControl) -> Vec<DriveStatus> {
    control.drives().unwrap().iter().map(|drive| drive.status).collect()
}

fn boot(world: &World, store: Arc<ReplicatedStore>) -> Arc<ClusterControl> {
    world.boot_with(Arc::new(world.contact.clone()), Arc::new(world.clock.clone()), Some(store))
}

#[test]
fn drives_join_leave_and_are_erased() {
    let (world, disks) = (World::new(), Disks::new(3));
    let first = Box::new(DirectoryDrive::new(&disks.path(0)));
    drop(ReplicatedStore::create(first, disks.witness(), &Snapshot::default()).unwrap());
    let control = boot(&world, disks.open(3));
    create_cluster(&control);
    use DriveStatus::{Active, Available};
    assert_eq!(statuses(&control), [Active, Available, Available]);
    let new = |id, kind| NewDrive { id: DriveId(id), kind };
    refused(control.add_drives(&[new(2, Some(AddDriveType::Block))]), ErrorName::ApiNotPermitted);
    refused(control.add_drives(&[new(1, None)]), ErrorName::DriveNotAvailable);
    refused(control.add_drives(&[new(9, None)]), ErrorName::DriveDoesNotExist);
    let handle = control.add_drives(&[new(2, Some(AddDriveType::Slice)), new(3, None)]).unwrap().unwrap();
    assert!(is_done(&control.async_result(handle, false).unwrap()));
    assert_eq!(statuses(&control), [Active, Active, Active]);
    refused(control.erase_drives(&[DriveId(3)]), ErrorName::DriveNotAvailable);

    let handle = control.remove_drives(&[DriveId(3)]).unwrap();
    assert!(is_done(&control.async_result(handle, false).unwrap()));
    assert_eq!(statuses(&control), [Active, Active, Available]);
    let copy = |path: &Path| fs::exists(path.join("state.redb")).unwrap();
    assert!(copy(&disks.path(2)), "its copy stays");
    let handle = control.erase_drives(&[DriveId(3)]).unwrap();
    assert!(is_done(&control.async_result(handle, false).unwrap()));
    assert!(!copy(&disks.path(2)));
    refused(control.reset_drives(&["slot1".into()]), ErrorName::ApiNotPermitted);
}

#[test]
fn a_drive_that_failed_is_a_fault_until_it_is_added_again() {
    let (world, disks) = (World::new(), Disks::new(2));
    let first = Box::new(DirectoryDrive::new(&disks.path(0)));
    let store = ReplicatedStore::create(first, disks.witness(), &Snapshot::default()).unwrap();
    store.add_drive(Box::new(DirectoryDrive::new(&disks.path(1)))).unwrap();
    let store = Arc::new(store);
    let control = boot(&world, Arc::clone(&store));
    create_cluster(&control);
    drop((control, store));
    fs::rename(disks.path(1), disks.0.path().join("away")).unwrap();
    let control = boot(&world, disks.open(2));
    assert_eq!(statuses(&control), [DriveStatus::Active, DriveStatus::Failed]);
    assert_eq!(current_faults(&control, "sliceServiceUnhealthy").len(), 1);
    fs::rename(disks.0.path().join("away"), disks.path(1)).unwrap();
    let handle = control.add_drives(&[NewDrive { id: DriveId(2), kind: None }]).unwrap().unwrap();
    assert!(is_done(&control.async_result(handle, false).unwrap()));
    assert_eq!(statuses(&control), [DriveStatus::Active, DriveStatus::Active]);
    assert!(current_faults(&control, "sliceServiceUnhealthy").is_empty());
}
