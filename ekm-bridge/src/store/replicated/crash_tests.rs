//! Power cuts at every step of a replicated commit, of making a store and of adding a drive; disks that break meanwhile.

use super::recover::RecoveryError;
use super::sim::{Contents, Disk, Hardware, Machine, contents, in_use};
use super::start::StartError;
use super::world::{self, Remembers, State, combinations, found, mark};
use super::{Drive, Found, Health, Label, ReplicatedStore};
use crate::store::embedded::sim::Survive;
use crate::store::{Change, Snapshot, Store, StoreError, Transaction};

const ENDLESS: usize = usize::MAX;

/// What may survive of the unsynced writes, and of unsynced names.
const AFTERMATHS: [(Survive, bool); 4] =
    [(Survive::Nothing, false), (Survive::Everything, true), (Survive::Coin(1), false), (Survive::Coin(2), true)];

fn script() -> Vec<Transaction> {
    vec![
        Transaction::new().put("a", b"first".to_vec()).put("b", vec![1; 5000]),
        Transaction::new().put("a", vec![2; 300]).delete("b").put("c", b"third".to_vec()),
    ]
}

/// The contents after the first `count` transactions of the script.
fn model(count: usize) -> Contents {
    let mut contents = Contents::from([("base".to_owned(), vec![7])]);
    for transaction in script().iter().take(count) {
        for (key, change) in transaction.changes() {
            match change {
                Change::Put(value) => drop(contents.insert(key.clone(), value.clone())),
                Change::Delete => drop(contents.remove(key)),
            }
        }
    }
    contents
}

fn base() -> Snapshot {
    let mut base = Snapshot { revision: crate::store::Revision(1), entries: Vec::new() };
    base.set("base", crate::store::Entry { revision: base.revision, value: vec![7] });
    base
}

/// A machine of `disks` with a store on the plugged ones.
fn made(disks: usize, plugged: &[usize]) -> Hardware {
    let machine = Hardware::new(disks).switch_on(ENDLESS, plugged);
    let store = machine.create(&base()).unwrap();
    assert_eq!(in_use(&store), plugged);
    machine.crash(Survive::Nothing, false)
}

/// Transactions of the script that were acknowledged.
fn run_script(store: &ReplicatedStore) -> usize {
    script().iter().take_while(|transaction| store.commit(transaction).is_ok()).count()
}

/// Opens with these disks, checks what is there, and leaves the machine running.
fn reopened(hardware: &Hardware, plugged: &[usize], done: usize, case: &str) -> (Machine, ReplicatedStore) {
    let machine = hardware.switch_on(ENDLESS, plugged);
    let store = machine.open().unwrap_or_else(|error| panic!("{case}, with disks {plugged:?}: {error}"));
    let found = contents(&store);
    let allowed = found == model(done) || found == model(done + 1);
    assert!(allowed, "{case}, with disks {plugged:?}, {done} acknowledged: {:?}", found.keys());
    (machine, store)
}

#[test]
fn after_a_power_cut_at_any_step_every_drive_alone_has_what_was_acknowledged() {
    let start = made(2, &[0, 1]);
    for steps in 0.. {
        let machine = start.switch_on(steps, &[0, 1]);
        let store = machine.open();
        let done = store.as_ref().map_or(0, run_script);
        for (survive, names) in AFTERMATHS {
            let case = format!("cut after {steps} steps, {survive:?}");
            let after = machine.crash(survive, names);
            let (_machine, store) = reopened(&after, &[0, 1], done, &case);
            store.commit(&Transaction::new().put("more", vec![1])).unwrap();
            assert_eq!(in_use(&store), [0, 1], "{case}");
            for alone in [0, 1] {
                goes_on_alone(&after, alone, done, &case);
            }
        }
        if machine.power.left() > 0 {
            assert_eq!(done, script().len());
            assert!(steps > 40, "the script takes only {steps} steps: is it simulated at all?");
            return;
        }
    }
}

/// One disk goes on without the other, which comes back, is known to be old, and is added again.
fn goes_on_alone(after: &Hardware, alone: usize, done: usize, case: &str) {
    let (machine, store) = reopened(after, &[alone], done, case);
    store.commit(&Transaction::new().put("alone", vec![1])).unwrap();
    let expected = contents(&store);
    let machine = machine.crash(Survive::Nothing, false).switch_on(ENDLESS, &[0, 1]);
    let store = machine.open().unwrap_or_else(|error| panic!("{case}, {alone} went on: {error}"));
    assert_eq!((in_use(&store), contents(&store)), (vec![alone], expected.clone()), "{case}");
    machine.add(&store, 1 - alone).unwrap();
    let machine = machine.crash(Survive::Nothing, false).switch_on(ENDLESS, &[1 - alone]);
    assert_eq!(contents(&machine.open().unwrap()), expected, "{case}");
}

#[test]
fn a_power_cut_at_any_step_of_adding_a_drive_loses_nothing_and_adding_can_be_repeated() {
    let start = made(2, &[0]);
    for steps in 0.. {
        let machine = start.switch_on(steps, &[0, 1]);
        let store = machine.open();
        let added = store.as_ref().is_ok_and(|store| machine.add(store, 1).is_ok());
        let done = if added { run_script(store.as_ref().unwrap()) } else { 0 };
        for (survive, names) in AFTERMATHS {
            let case = format!("cut after {steps} steps, {survive:?}");
            let after = machine.crash(survive, names);
            second_disk_alone(&after, added, done, &case);
            let (machine, store) = reopened(&after, &[0, 1], done, &case);
            machine.add(&store, 1).unwrap();
            assert_eq!(in_use(&store), [0, 1], "{case}");
            let expected = contents(&store);
            let machine = machine.crash(Survive::Nothing, false).switch_on(ENDLESS, &[1]);
            assert_eq!(contents(&machine.open().unwrap()), expected, "{case}");
        }
        if machine.power.left() > 0 {
            assert!(added && done == script().len());
            return;
        }
    }
}

/// The new disk opens alone only if it is complete, and must if its addition was acknowledged.
fn second_disk_alone(after: &Hardware, added: bool, done: usize, case: &str) {
    match after.switch_on(ENDLESS, &[1]).open() {
        Ok(store) => {
            let found = contents(&store);
            assert!(found == model(done) || found == model(done + 1), "{case}: {:?}", found.keys());
        }
        Err(StartError::Recovery(RecoveryError::NoCopy(_) | RecoveryError::Stale { .. })) => {
            assert!(!added, "{case}: the disk was added and does not open");
        }
        Err(error) => panic!("{case}: {error}"),
    }
}

#[test]
fn a_power_cut_at_any_step_of_making_a_store_leaves_none_or_a_whole_one() {
    for steps in 0.. {
        let machine = Hardware::new(1).switch_on(steps, &[0]);
        let made = machine.create(&base()).is_ok();
        for (survive, names) in AFTERMATHS {
            let after = machine.crash(survive, names).switch_on(ENDLESS, &[0]);
            match after.open() {
                Ok(store) => assert_eq!(contents(&store), model(0)),
                Err(StartError::Recovery(RecoveryError::Fresh)) => {
                    assert!(!made, "cut after {steps} steps, {survive:?}");
                    assert_eq!(contents(&after.create(&base()).unwrap()), model(0));
                }
                Err(error) => panic!("cut after {steps} steps, {survive:?}: {error}"),
            }
        }
        if machine.power.left() > 0 {
            return assert!(made);
        }
    }
}

#[test]
fn a_disk_that_breaks_at_any_step_is_left_out_and_the_others_go_on() {
    for broken in [0, 1] {
        let start = made(2, &[0, 1]);
        for steps in 0.. {
            let machine = start.switch_on(ENDLESS, &[0, 1]);
            let store = machine.open().unwrap();
            machine.own[broken].limit(steps);
            assert_eq!(run_script(&store), script().len(), "disk {broken} broke after {steps} steps");
            let noticed = in_use(&store) == [1 - broken];
            assert_eq!(contents(&store), model(script().len()));
            let after = machine.crash(Survive::Nothing, false);
            if noticed {
                assert!(matches!(store.health()[broken].health, Health::Failed(_)));
                knows_that_it_broke(&after, broken);
            }
            if machine.own[broken].left() > 0 {
                assert!(!noticed && steps > 20);
                break;
            }
        }
    }
}

/// With the other disk, the broken one is old; without it, it does not pass for the store.
fn knows_that_it_broke(after: &Hardware, broken: usize) {
    let machine = after.switch_on(ENDLESS, &[0, 1]);
    let store = machine.open().unwrap();
    assert_eq!((in_use(&store), contents(&store)), (vec![1 - broken], model(script().len())));
    let alone = after.switch_on(ENDLESS, &[broken]).open();
    assert!(matches!(alone, Err(StartError::Recovery(RecoveryError::Stale { .. }))), "disk {broken}");
}

#[test]
fn a_power_cut_while_a_broken_disk_is_left_out_loses_nothing() {
    let start = made(3, &[0, 1, 2]);
    for (broken, broken_after) in [0, 1, 2].into_iter().flat_map(|disk| [3, 8, 16].map(|steps| (disk, steps))) {
        for steps in (0..).step_by(3) {
            let machine = start.switch_on(ENDLESS, &[0, 1, 2]);
            let store = machine.open().unwrap();
            machine.power.limit(steps);
            machine.own[broken].limit(broken_after);
            let done = run_script(&store);
            let case = format!("disk {broken} broke after {broken_after}, cut after {steps}");
            for (survive, names) in [(Survive::Nothing, false), (Survive::Coin(3), true)] {
                let after = machine.crash(survive, names);
                for plugged in [&[0, 1, 2][..], &[(broken + 1) % 3], &[(broken + 2) % 3]] {
                    reopened(&after, plugged, done, &case);
                }
            }
            if machine.power.left() > 0 {
                break;
            }
        }
    }
}

#[test]
fn a_disk_that_counts_other_revisions_than_the_rest_is_left_out() {
    for strayed in [0, 1] {
        let machine = made(2, &[0, 1]).switch_on(ENDLESS, &[0, 1]);
        let store = machine.open().unwrap();
        let next = crate::store::Revision(store.snapshot().unwrap().revision.0 + 1);
        let behind_its_back = Transaction::new().put("unknown", vec![1]);
        machine.drives[strayed].clone().commit(&behind_its_back, next).unwrap();
        store.commit(&script()[0]).unwrap();
        assert_eq!(in_use(&store), [1 - strayed]);
        assert_eq!(contents(&store), model(1));
    }
}

#[test]
fn a_conflict_is_no_failure_of_a_drive() {
    let machine = made(2, &[0, 1]).switch_on(ENDLESS, &[0, 1]);
    let store = machine.open().unwrap();
    let before = store.snapshot().unwrap();
    let conflict = Transaction::new().expect("base", crate::store::Revision::ABSENT).put("a", vec![1]);
    assert!(matches!(store.commit(&conflict), Err(StoreError::Conflict { .. })));
    assert_eq!((in_use(&store), store.snapshot().unwrap()), (vec![0, 1], before));
}

#[test]
fn when_the_last_disk_breaks_the_store_says_so_and_stays_closed() {
    let machine = made(2, &[0, 1]).switch_on(ENDLESS, &[0, 1]);
    let store = machine.open().unwrap();
    for own in &machine.own {
        own.limit(0);
    }
    for _ in 0..2 {
        let error = store.commit(&script()[0]).unwrap_err();
        assert!(matches!(&error, StoreError::NoDrive(_)), "{error}");
        assert!(error.to_string().contains("disk 0") && error.to_string().contains("disk 1"), "{error}");
    }
    assert!(matches!(store.get("base"), Err(StoreError::NoDrive(_))));
}

#[test]
fn real_stores_open_from_every_combination_as_the_table_says() {
    let states = [State::Absent, State::Empty, State::Damaged, State::Foreign, State::Older, State::Newest];
    let mut opened = 0;
    for states in [2, 3].into_iter().flat_map(|places| combinations(places, &states)) {
        let disks = found(&states).iter().map(disk).collect();
        let hardware = Hardware { disks, mark: mark(Remembers::NewestEpoch) };
        let plugged: Vec<usize> = (0..states.len()).filter(|place| states[*place] != State::Absent).collect();
        let machine = hardware.switch_on(ENDLESS, &plugged);
        let Ok(store) = machine.open() else {
            assert!(!states.contains(&State::Newest), "{states:?}");
            continue;
        };
        opened += 1;
        assert_eq!(store.get("data").unwrap().unwrap().value, b"at 9", "{states:?}");
        let newest: Vec<usize> = (0..states.len()).filter(|place| states[*place] == State::Newest).collect();
        assert_eq!(in_use(&store), newest, "{states:?}");
        // Again, with what it left behind: nothing else is found than before.
        let machine = machine.crash(Survive::Nothing, false).switch_on(ENDLESS, &plugged);
        let again = machine.open().unwrap();
        assert_eq!(in_use(&again), newest, "{states:?}");
        let available = again.health().iter().filter(|drive| matches!(drive.health, Health::Available(_))).count();
        assert_eq!(available, states.iter().filter(|state| **state == State::Empty).count(), "{states:?}");
    }
    assert_eq!(opened, (36 - 25) + (216 - 125));
}

fn disk(found: &Found) -> Disk {
    match found {
        Found::Absent(_) | Found::Busy(_) | Found::Empty => Disk::default(),
        Found::Damaged(_) => Disk::damaged(),
        Found::Present(copy) => Disk::holding(&copy.snapshot),
    }
}

#[test]
fn only_what_belongs_to_the_store_or_is_empty_is_overwritten_by_adding() {
    for state in [State::Damaged, State::Foreign, State::Absent, State::Empty, State::Older, State::Outside] {
        let found = found(&[State::Newest, state]);
        let disks: Vec<Disk> = found.iter().map(disk).collect();
        let hardware = Hardware { disks, mark: mark(Remembers::NewestEpoch) };
        let plugged: &[usize] = if state == State::Absent { &[0] } else { &[0, 1] };
        let machine = hardware.switch_on(ENDLESS, plugged);
        let store = machine.open().unwrap();
        let may = matches!(state, State::Empty | State::Older | State::Outside);
        assert_eq!(machine.add(&store, 1).is_ok(), may, "{state:?}");
        assert_eq!(in_use(&store), if may { vec![0, 1] } else { vec![0] }, "{state:?}");
    }
}

#[test]
fn the_labels_of_the_table_are_those_of_the_document() {
    let page = include_str!("../../../../docs/format/metadata-drives.md");
    use Label::{Absent, Behind, Current, Damaged, Empty, Foreign, Older, Outside};
    for label in [Current, Behind, Older, Outside, Empty, Absent, Damaged, Foreign] {
        assert!(
            page.contains(&format!("| `{label:?}` |")),
            "docs/format/metadata-drives.md does not tell of {label:?}"
        );
    }
    assert_eq!(world::STATES.len(), 8);
}
