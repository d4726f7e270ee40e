//! Drives that join and leave while the store is in use.

use uuid::Uuid;

use super::core::{Core, Health, Slot};
use super::drive::{Drive, Found};
use super::recover::{self, RecoveryError};
use super::replica::{self, DriveId, Replica};
use crate::store::StoreError;

/// Why a drive cannot join or leave.
#[derive(Debug, thiserror::Error)]
pub enum DriveRefused {
    /// It cannot be used, or what is on it must not be overwritten.
    #[error("the metadata drive {drive} is not added: {reason}")]
    Unusable {
        /// The drive.
        drive: String,
        /// Why.
        reason: String,
    },
    /// What is on it went on without the others.
    #[error(transparent)]
    Split(#[from] RecoveryError),
    /// No drive of this name is known.
    #[error("there is no metadata drive {0}")]
    Unknown(String),
    /// Without it there would be no store.
    #[error("{0} is the last metadata drive; add another one first")]
    Last(String),
    /// A drive or the witness failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Order: the copy, whole or not at all; then an epoch with the drive in it. Before the epoch the copy counts for
/// nothing, so a crash leaves a drive that takes part or one that can be added again.
pub(super) fn add(core: &mut Core, mut drive: Box<dyn Drive>) -> Result<DriveId, DriveRefused> {
    let name = drive.name();
    if let Some(id) = in_use(core, &name) {
        return Ok(id);
    }
    core.settle()?;
    let source = source(core)?;
    let id = id_for(core, &source, &name, drive.look())?;
    drive.replace(&replica::for_drive(source.snapshot, id))?;
    core.slots.retain(|slot| slot.drive.name() != name);
    core.slots.push(Slot { drive, id: Some(id), health: Health::InUse });
    core.check_members();
    core.settle()?;
    match in_use(core, &name) {
        Some(id) => Ok(id),
        None => Err(DriveRefused::Unusable { drive: name, reason: "it failed while it was added".into() }),
    }
}

/// Order: an epoch without the drive on the others; its own copy is not touched and known to be old from then on.
pub(super) fn remove(core: &mut Core, name: &str) -> Result<(), DriveRefused> {
    let Some(at) = core.slots.iter().position(|slot| slot.drive.name() == name) else {
        return Err(DriveRefused::Unknown(name.into()));
    };
    let others = core.slots.iter().enumerate().filter(|(index, slot)| *index != at && slot.in_use()).count();
    if core.slots[at].in_use() && others == 0 {
        return Err(DriveRefused::Last(name.into()));
    }
    core.slots.remove(at).drive.close();
    core.check_members();
    Ok(core.settle()?)
}

fn in_use(core: &Core, name: &str) -> Option<DriveId> {
    core.slots.iter().find(|slot| slot.in_use() && slot.drive.name() == name).and_then(|slot| slot.id)
}

/// The state to copy, from the first drive that can be read.
fn source(core: &mut Core) -> Result<Replica, DriveRefused> {
    let found = core.read(|drive| match drive.look() {
        Found::Present(copy) => Ok(*copy),
        other => Err(StoreError::NoDrive(format!("{}: {}", drive.name(), recover::describe(&other)))),
    })?;
    Ok(found)
}

/// The id that the drive will have: the one it had, unless it never had one or it is taken.
fn id_for(core: &Core, source: &Replica, name: &str, found: Found) -> Result<DriveId, DriveRefused> {
    let refuse = |reason: String| DriveRefused::Unusable { drive: name.into(), reason };
    match found {
        Found::Empty => Ok(DriveId(Uuid::new_v4())),
        Found::Present(copy) if copy.store == core.store() => {
            recover::relation(name, &copy, "the drives in use", source)?;
            let taken = core.slots.iter().any(|slot| slot.in_use() && slot.id == Some(copy.drive));
            Ok(if taken { DriveId(Uuid::new_v4()) } else { copy.drive })
        }
        Found::Present(copy) => {
            Err(refuse(format!("it holds a copy of another store, {}; erase it first", copy.store)))
        }
        Found::Damaged(reason) => Err(refuse(format!("{reason}; erase it first"))),
        Found::Absent(reason) | Found::Busy(reason) => Err(refuse(reason)),
    }
}
