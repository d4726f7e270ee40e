//! From what is on the drives to what is done: the recovery table of `docs/format/metadata-drives.md`, as a function.

use std::cmp::Ordering;

use uuid::Uuid;

use super::drive::Found;
use super::epoch::Epoch;
use super::replica::{DriveId, Replica};
use super::witness::Mark;
use crate::store::Revision;

/// What a drive is, seen from the newest complete copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// The newest copy, or the same as it: takes part.
    Current,
    /// Lacks only the last transaction: brought up to date, then takes part.
    Behind,
    /// An earlier state of the same history: left out, failed.
    Older,
    /// Whole, but the drive was not yet, or is no longer, one of those that take part: left out, available.
    Outside,
    /// No store: left out, available.
    Empty,
    /// Not reachable: left out, failed.
    Absent,
    /// No sound copy: left out, failed, untouched.
    Damaged,
    /// A copy of another store: left out, failed, untouched.
    Foreign,
}

/// The choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// The drive with the copy that counts.
    pub(super) source: usize,
    /// What each drive is.
    pub(super) labels: Vec<Label>,
}

/// Why no copy may be chosen. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// Every drive is empty, and nothing says that there ever was a store.
    #[error("there is no store yet on any of the metadata drives")]
    Fresh,
    /// No drive has a complete copy, and there is or may be a store.
    #[error("no metadata drive has a complete copy of the store ({0}); nothing is started empty in its place")]
    NoCopy(String),
    /// The newest state is on drives that are not here.
    #[error(
        "the copies found end with epoch {found}, but the store had reached epoch {known}, on {places}: bring one of \
         those drives back"
    )]
    Stale {
        /// Number of the newest epoch found.
        found: u64,
        /// Number of the newest epoch known.
        known: u64,
        /// Where the newest state is.
        places: String,
    },
    /// Two copies went on without each other.
    #[error(
        "the copies on {one} and {other} are two histories of the same store ({reason}); keep the right one, erase the \
         other drive, and add it again"
    )]
    Split {
        /// One drive.
        one: String,
        /// The other.
        other: String,
        /// In what they differ.
        reason: String,
    },
    /// Copies of different stores, and no way to tell which one is meant.
    #[error(
        "{one} and {other} hold copies of different stores ({first}, {second}); take away the drive that is not meant"
    )]
    TwoStores {
        /// One drive.
        one: String,
        /// Its store.
        first: Uuid,
        /// The other.
        other: String,
        /// Its store.
        second: Uuid,
    },
    /// A drive was copied bit by bit.
    #[error("{one} and {other} are the same drive {id} twice; take away the one that is a clone")]
    Clone {
        /// One drive.
        one: String,
        /// The other.
        other: String,
        /// The id that both have.
        id: DriveId,
    },
}

/// A drive's name with what is on it.
pub(super) type Look = (String, Found);

/// A drive with a readable copy: its place in the list, its name, the copy.
type Present<'a> = (usize, &'a str, &'a Replica);

/// Chooses the copy that counts and says what each drive is.
pub(super) fn decide(mark: Option<&Mark>, looks: &[Look]) -> Result<Plan, RecoveryError> {
    let Some(store) = store_meant(mark, looks)? else { return Err(no_copy(mark, looks)) };
    let ours: Vec<Present<'_>> = present(looks).filter(|(_, _, copy)| copy.store == store).collect();
    refuse_clones(&ours)?;
    let complete = ours.iter().filter(|(_, _, copy)| copy.is_member());
    let newest = complete.max_by_key(|(at, _, copy)| (copy.epoch().number, copy.revision(), std::cmp::Reverse(*at)));
    let &newest = newest.ok_or_else(|| no_copy(mark, looks))?;
    check_mark(mark, newest)?;
    let labels = looks.iter().map(|look| label(look, store, newest)).collect::<Result<_, _>>()?;
    Ok(Plan { source: newest.0, labels })
}

fn present(looks: &[Look]) -> impl Iterator<Item = Present<'_>> {
    looks.iter().enumerate().filter_map(|(at, (name, found))| match found {
        Found::Present(copy) => Some((at, name.as_str(), &**copy)),
        _ => None,
    })
}

/// The store that the mark names, or else the only one that there is a copy of.
fn store_meant(mark: Option<&Mark>, looks: &[Look]) -> Result<Option<Uuid>, RecoveryError> {
    if let Some(mark) = mark {
        return Ok(Some(mark.store));
    }
    let Some((_, one, first)) = present(looks).next() else { return Ok(None) };
    match present(looks).find(|(_, _, copy)| copy.store != first.store) {
        None => Ok(Some(first.store)),
        Some((_, other, second)) => Err(RecoveryError::TwoStores {
            one: one.into(),
            first: first.store,
            other: other.into(),
            second: second.store,
        }),
    }
}

fn refuse_clones(ours: &[Present<'_>]) -> Result<(), RecoveryError> {
    for (index, (_, one, copy)) in ours.iter().enumerate() {
        if let Some((_, other, _)) = ours[..index].iter().find(|(_, _, earlier)| earlier.drive == copy.drive) {
            return Err(RecoveryError::Clone { one: (*other).into(), other: (*one).into(), id: copy.drive });
        }
    }
    Ok(())
}

/// The newest copy must have come at least as far as the mark, and on the same way.
fn check_mark(mark: Option<&Mark>, (_, name, newest): Present<'_>) -> Result<(), RecoveryError> {
    let Some(mark) = mark else { return Ok(()) };
    let found = newest.epoch().number;
    if found < mark.epoch {
        let places = mark.members.iter().map(|(id, name)| format!("{name} ({id})")).collect::<Vec<_>>().join(", ");
        return Err(RecoveryError::Stale { found, known: mark.epoch, places });
    }
    match newest.epoch_at(mark.epoch) {
        Some(epoch) if epoch.is(mark.epoch, mark.epoch_id) => Ok(()),
        _ => Err(RecoveryError::Split {
            one: name.into(),
            other: "the drives that were in use last".into(),
            reason: format!("it has another epoch {}", mark.epoch),
        }),
    }
}

fn label(look: &Look, store: Uuid, newest: Present<'_>) -> Result<Label, RecoveryError> {
    Ok(match &look.1 {
        Found::Absent(_) | Found::Busy(_) => Label::Absent,
        Found::Empty => Label::Empty,
        Found::Damaged(_) => Label::Damaged,
        Found::Present(copy) if copy.store != store => Label::Foreign,
        Found::Present(copy) => relation(&look.0, copy, newest.1, newest.2)?,
    })
}

/// What the copy on `name` is to the newest complete one.
pub(super) fn relation(
    name: &str,
    copy: &Replica,
    newest_name: &str,
    newest: &Replica,
) -> Result<Label, RecoveryError> {
    let split = |reason: String| RecoveryError::Split { one: newest_name.into(), other: name.into(), reason };
    let tip = copy.epoch();
    match newest.epoch_at(tip.number) {
        Some(epoch) if epoch.is(tip.number, tip.id) => {}
        Some(_) => return Err(split(format!("each has its own epoch {}", tip.number))),
        None if tip.number > newest.epoch().number => return Err(stale(name, tip, newest)),
        None => return Err(split(format!("only one knows epoch {}", tip.number))),
    }
    match newest.end_of(tip.number) {
        None => within(copy, newest).map_err(split),
        Some(end) => before(copy, end, newest).map_err(split),
    }
}

/// The label of a copy that ends in the newest copy's own epoch.
fn within(copy: &Replica, newest: &Replica) -> Result<Label, String> {
    let takes_part = newest.epoch().has(copy.drive);
    match copy.revision().cmp(&newest.revision()) {
        Ordering::Equal => match newest.difference(copy) {
            Some(key) => Err(format!("both are at revision {}, and differ in {key}", copy.revision().0)),
            None if takes_part => Ok(Label::Current),
            None => Ok(Label::Outside),
        },
        Ordering::Greater => Err(format!("one is at revision {}, which the other never had", copy.revision().0)),
        Ordering::Less if !takes_part => Ok(Label::Outside),
        Ordering::Less => Ok(if lacks_the_last(copy, newest) { Label::Behind } else { Label::Older }),
    }
}

/// The label of a copy that ends in an earlier epoch, of which `end` is the last revision. One transaction more than
/// that was never acknowledged: a drive that went on lacks it. Two would have been.
fn before(copy: &Replica, end: Revision, newest: &Replica) -> Result<Label, String> {
    if copy.revision().0 > end.0.saturating_add(1) {
        return Err(format!("one went on alone from revision {} to {}", end.0, copy.revision().0));
    }
    let next_to_it = copy.revision() <= end && newest.epoch().has(copy.drive) && lacks_the_last(copy, newest);
    Ok(if next_to_it { Label::Behind } else { Label::Older })
}

fn lacks_the_last(copy: &Replica, newest: &Replica) -> bool {
    copy.revision().0.checked_add(1) == Some(newest.revision().0)
}

/// A copy that knows of a later epoch in which others took part, and that is not complete itself.
fn stale(name: &str, tip: &Epoch, newest: &Replica) -> RecoveryError {
    let ids = tip.members.iter().map(DriveId::to_string).collect::<Vec<_>>().join(", ");
    let places = format!("the drives {ids} (says {name})");
    RecoveryError::Stale { found: newest.epoch().number, known: tip.number, places }
}

/// Tells a fresh start, which is only one where every drive answers and is empty, from a loss.
fn no_copy(mark: Option<&Mark>, looks: &[Look]) -> RecoveryError {
    let all_empty = !looks.is_empty() && looks.iter().all(|(_, found)| *found == Found::Empty);
    if mark.is_none() && all_empty {
        return RecoveryError::Fresh;
    }
    let drives = looks.iter().map(|(name, found)| format!("{name}: {}", describe(found)));
    RecoveryError::NoCopy(drives.collect::<Vec<_>>().join("; "))
}

/// What is on a drive, in words.
pub(super) fn describe(found: &Found) -> String {
    match found {
        Found::Absent(reason) | Found::Busy(reason) | Found::Damaged(reason) => reason.clone(),
        Found::Empty => "empty".into(),
        Found::Present(copy) => {
            format!("store {}, epoch {}, revision {}", copy.store, copy.epoch().number, copy.revision().0)
        }
    }
}
