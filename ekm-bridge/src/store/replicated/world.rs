//! For tests: copies of every kind, made by hand.

use uuid::Uuid;

use super::drive::Found;
use super::epoch::Epoch;
use super::replica::{DRIVE, DriveId, Replica, STORE};
use super::witness::Mark;
use crate::store::{Entry, Revision, Snapshot};

/// What a drive may hold. The order says which one counts when several are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Absent,
    Empty,
    Damaged,
    Foreign,
    /// Written by an addition that did not get as far as the epoch.
    Outside,
    Older,
    Behind,
    Newest,
}

pub(super) const STATES: [State; 8] = [
    State::Absent,
    State::Empty,
    State::Damaged,
    State::Foreign,
    State::Outside,
    State::Older,
    State::Behind,
    State::Newest,
];

/// What the witness remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remembers {
    Nothing,
    /// The epoch before the newest: the crash came between the epoch and its mark.
    EarlierEpoch,
    NewestEpoch,
}

pub(super) const MEMORIES: [Remembers; 3] = [Remembers::Nothing, Remembers::EarlierEpoch, Remembers::NewestEpoch];

const EARLIER: u128 = 0xE1;
const NEWEST: u128 = 0xE2;

/// The id of the drive in this place.
pub(super) fn drive(place: usize) -> DriveId {
    DriveId(Uuid::from_u128(0xD0 + place as u128))
}

pub(super) fn store() -> Uuid {
    Uuid::from_u128(0x5EA)
}

pub(super) fn epoch(number: u64, id: u128, start: u64, members: Vec<DriveId>) -> Epoch {
    Epoch { number, id: Uuid::from_u128(id), start: Revision(start), members }
}

/// A copy with these epochs, at this revision, every revision that begins no epoch having written `data`.
pub(super) fn copy(store: Uuid, drive: DriveId, epochs: &[Epoch], revision: u64) -> Replica {
    let mut snapshot = Snapshot { revision: Revision(revision), entries: Vec::new() };
    let first = epochs[0].start;
    snapshot.set(STORE, Entry { revision: first, value: store.to_string().into_bytes() });
    snapshot.set(DRIVE, Entry { revision: first, value: drive.to_string().into_bytes() });
    for epoch in epochs {
        snapshot.set(&epoch.key(), Entry { revision: epoch.start, value: epoch.value().unwrap() });
    }
    let last = (1..=revision).rev().find(|at| epochs.iter().all(|epoch| epoch.start.0 != *at));
    if let Some(last) = last {
        snapshot.set("data", Entry { revision: Revision(last), value: format!("at {last}").into_bytes() });
    }
    Replica::parse(snapshot).unwrap()
}

/// What is found in each place: the newest state is epoch 2 at revision 9, of the drives that are newest or behind, and
/// of one that nobody will see again.
pub(super) fn found(states: &[State]) -> Vec<Found> {
    let everyone: Vec<DriveId> = (0..states.len()).map(drive).collect();
    let takes_part = |place: &DriveId| {
        let at = everyone.iter().position(|id| id == place).unwrap();
        matches!(states[at], State::Newest | State::Behind)
    };
    let mut members: Vec<DriveId> = everyone.iter().copied().filter(takes_part).collect();
    members.push(drive(99));
    let one = epoch(1, EARLIER, 1, everyone.clone());
    let two = epoch(2, NEWEST, 6, members);
    let one_found = |(place, state): (usize, &State)| {
        let ours = |epochs: &[Epoch], revision| Found::Present(Box::new(copy(store(), drive(place), epochs, revision)));
        match state {
            State::Absent => Found::Absent("unplugged".into()),
            State::Empty => Found::Empty,
            State::Damaged => Found::Damaged("garbage".into()),
            State::Foreign => {
                let epochs = [epoch(1, 0xF1, 1, everyone.clone())];
                Found::Present(Box::new(copy(Uuid::from_u128(0xF0), drive(place), &epochs, 3)))
            }
            State::Outside => ours(&[one.clone(), two.clone()], 7),
            State::Older => ours(std::slice::from_ref(&one), 5),
            State::Behind => ours(&[one.clone(), two.clone()], 8),
            State::Newest => ours(&[one.clone(), two.clone()], 9),
        }
    };
    states.iter().enumerate().map(one_found).collect()
}

pub(super) fn mark(memory: Remembers) -> Option<Mark> {
    let (number, id) = match memory {
        Remembers::Nothing => return None,
        Remembers::EarlierEpoch => (1, EARLIER),
        Remembers::NewestEpoch => (2, NEWEST),
    };
    Some(Mark::new(store(), number, Uuid::from_u128(id), vec![(drive(99), "the lost drive".into())]))
}

/// Every way to fill this many places.
pub(super) fn combinations(places: usize, states: &[State]) -> Vec<Vec<State>> {
    (0..places).fold(vec![Vec::new()], |all, _| {
        let longer =
            |one: &Vec<State>| states.iter().map(|&state| [one.as_slice(), &[state]].concat()).collect::<Vec<_>>();
        all.iter().flat_map(longer).collect()
    })
}
