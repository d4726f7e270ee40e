//! Making a store, and opening one from whatever is on its drives.

use uuid::Uuid;

use super::core::{Core, Health, Slot};
use super::drive::{Drive, Found};
use super::recover::{self, Label, Look, Plan, RecoveryError};
use super::replica::{self, DriveId, Replica};
use super::witness::Witness;
use crate::store::{Snapshot, StoreError};

/// Why the store cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No copy may be chosen.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// A drive is used by another process, so that nothing can be decided.
    #[error("the metadata drive {drive} is in use: {reason}")]
    Busy {
        /// The drive.
        drive: String,
        /// What was tried.
        reason: String,
    },
    /// Nothing may be made here.
    #[error("no new store is made on {drive}: {reason}")]
    NotEmpty {
        /// The drive.
        drive: String,
        /// What is there already.
        reason: String,
    },
    /// A drive or the witness failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a store on one empty drive. A crash before the end leaves nothing, or a store that [`open`] finds.
pub(super) fn create(
    mut drive: Box<dyn Drive>,
    witness: Box<dyn Witness>,
    contents: &Snapshot,
) -> Result<Core, StartError> {
    let refuse = |reason: String| StartError::NotEmpty { drive: drive.name(), reason };
    if let Some(mark) = witness.load()? {
        return Err(refuse(format!("there is one already, {}", mark.store)));
    }
    let found = drive.look();
    if found != Found::Empty {
        return Err(StartError::NotEmpty { drive: drive.name(), reason: recover::describe(&found) });
    }
    let first = Replica::first(contents, Uuid::new_v4(), DriveId(Uuid::new_v4()));
    let first = first.map_err(|reason| StartError::NotEmpty { drive: drive.name(), reason })?;
    drive.replace(&first.snapshot)?;
    let slot = Slot { drive, id: Some(first.drive), health: Health::InUse };
    let mut core = Core::new(vec![slot], witness, first.store, first.epoch().clone(), first.revision());
    core.settle()?;
    Ok(core)
}

/// Opens a store: look at every drive, decide, bring up to date, begin an epoch if the drives are no longer the same.
pub(super) fn open(mut drives: Vec<Box<dyn Drive>>, witness: Box<dyn Witness>) -> Result<Core, StartError> {
    let mark = witness.load()?;
    let looks: Vec<Look> = drives.iter_mut().map(|drive| (drive.name(), drive.look())).collect();
    refuse_busy(&looks)?;
    let plan = recover::decide(mark.as_ref(), &looks)?;
    let (_, Found::Present(source)) = &looks[plan.source] else {
        return Err(RecoveryError::NoCopy("the chosen copy is gone".into()).into());
    };
    let slots = slots(drives, &looks, &plan, source);
    let mut core = Core::new(slots, witness, source.store, source.epoch().clone(), source.revision());
    core.settle()?;
    Ok(core)
}

/// A drive that another process holds has not failed, and may be the newest.
fn refuse_busy(looks: &[Look]) -> Result<(), StartError> {
    for (drive, found) in looks {
        if let Found::Busy(reason) = found {
            return Err(StartError::Busy { drive: drive.clone(), reason: reason.clone() });
        }
    }
    Ok(())
}

fn slots(drives: Vec<Box<dyn Drive>>, looks: &[Look], plan: &Plan, source: &Replica) -> Vec<Slot> {
    let each = drives.into_iter().zip(looks).zip(&plan.labels);
    each.map(|((drive, (_, found)), &label)| slot(drive, found, label, source)).collect()
}

fn slot(mut drive: Box<dyn Drive>, found: &Found, label: Label, source: &Replica) -> Slot {
    let id = match found {
        Found::Present(copy) if label != Label::Foreign => Some(copy.drive),
        _ => None,
    };
    let outcome = match (label, id) {
        (Label::Behind, Some(id)) => drive.replace(&replica::for_drive(source.snapshot.clone(), id)),
        _ => Ok(()),
    };
    let health = match outcome {
        Ok(()) => health(label, found),
        Err(error) => Health::Failed(error.to_string()),
    };
    let mut slot = Slot { drive, id, health };
    if !slot.in_use() {
        slot.drive.close();
    }
    slot
}

/// What becomes of a drive with this label.
fn health(label: Label, found: &Found) -> Health {
    let what = recover::describe(found);
    match label {
        Label::Current | Label::Behind => Health::InUse,
        Label::Empty => Health::Available("it has no store".into()),
        Label::Outside => Health::Available(format!("it does not take part ({what})")),
        Label::Older => Health::Failed(format!("its copy is old ({what})")),
        Label::Foreign => Health::Failed(format!("it belongs to another store ({what})")),
        Label::Absent | Label::Damaged => Health::Failed(what),
    }
}
