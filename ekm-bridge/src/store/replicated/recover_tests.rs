//! The recovery table, in full: every state of every drive, for two and three drives, with every memory of the witness.

use uuid::Uuid;

use super::drive::Found;
use super::recover::{Label, Look, Plan, RecoveryError, decide};
use super::world::{MEMORIES, Remembers, STATES, State, combinations, copy, drive, epoch, found, mark, store};

/// What must come out, said a second time in other words: by looking for the best state that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Opens(State),
    Fresh,
    NoCopy,
    Stale,
    TwoStores,
}

fn expected(states: &[State], memory: Remembers) -> Outcome {
    let has = |state| states.contains(&state);
    let ours = [State::Outside, State::Older, State::Behind, State::Newest].into_iter().any(has);
    let nothing_known = memory == Remembers::Nothing;
    if nothing_known && has(State::Foreign) {
        return if ours { Outcome::TwoStores } else { Outcome::Opens(State::Foreign) };
    }
    match [State::Newest, State::Behind].into_iter().find(|state| has(*state)) {
        Some(best) => Outcome::Opens(best),
        None if has(State::Older) && (has(State::Outside) || memory == Remembers::NewestEpoch) => Outcome::Stale,
        None if has(State::Older) => Outcome::Opens(State::Older),
        None if nothing_known && states.iter().all(|state| *state == State::Empty) => Outcome::Fresh,
        None => Outcome::NoCopy,
    }
}

fn label(state: State, best: State) -> Label {
    match state {
        State::Absent => Label::Absent,
        State::Empty => Label::Empty,
        State::Damaged => Label::Damaged,
        _ if state == best => Label::Current,
        State::Foreign => Label::Foreign,
        State::Outside => Label::Outside,
        State::Older => Label::Older,
        State::Behind | State::Newest => Label::Behind,
    }
}

fn looks(found: Vec<Found>) -> Vec<Look> {
    found.into_iter().enumerate().map(|(place, found)| (format!("drive {place}"), found)).collect()
}

fn outcome(decision: Result<Plan, RecoveryError>, states: &[State]) -> Outcome {
    match decision {
        Ok(plan) => {
            let best = states[plan.source];
            assert_eq!(states.iter().position(|state| *state == best), Some(plan.source), "the first of equals");
            let labels: Vec<Label> = states.iter().map(|state| label(*state, best)).collect();
            assert_eq!(plan.labels, labels, "{states:?}");
            Outcome::Opens(best)
        }
        Err(RecoveryError::Fresh) => Outcome::Fresh,
        Err(RecoveryError::NoCopy(_)) => Outcome::NoCopy,
        Err(RecoveryError::Stale { .. }) => Outcome::Stale,
        Err(RecoveryError::TwoStores { .. }) => Outcome::TwoStores,
        Err(error) => panic!("{states:?}: {error}"),
    }
}

#[test]
fn every_combination_of_states_comes_out_as_the_table_says() {
    let mut opened = 0;
    for states in [1, 2, 3].into_iter().flat_map(|places| combinations(places, &STATES)) {
        for memory in MEMORIES {
            let decision = decide(mark(memory).as_ref(), &looks(found(&states)));
            let outcome = outcome(decision, &states);
            assert_eq!(outcome, expected(&states, memory), "{states:?}, the witness remembers {memory:?}");
            opened += usize::from(matches!(outcome, Outcome::Opens(_)));
        }
    }
    assert!(opened > 800, "only {opened} combinations open");
}

#[test]
fn an_empty_store_is_never_begun_beside_anything_that_was_one() {
    for states in [1, 2, 3].into_iter().flat_map(|places| combinations(places, &STATES)) {
        for memory in MEMORIES {
            let decision = decide(mark(memory).as_ref(), &looks(found(&states)));
            let is_fresh = decision == Err(RecoveryError::Fresh);
            let nothing_was = memory == Remembers::Nothing && states.iter().all(|state| *state == State::Empty);
            assert_eq!(is_fresh, nothing_was, "{states:?}, {memory:?}");
        }
    }
}

fn present(name: &str, copy: super::Replica) -> Look {
    (name.into(), Found::Present(Box::new(copy)))
}

fn split(looks: &[Look]) -> String {
    match decide(None, looks) {
        Err(error @ RecoveryError::Split { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_revision_with_other_contents_is_two_histories_and_both_are_named() {
    let epochs = [epoch(1, 1, 1, vec![drive(0), drive(1)])];
    let (one, mut other) = (copy(store(), drive(0), &epochs, 5), copy(store(), drive(1), &epochs, 5));
    let mut entry = other.snapshot.get("data").unwrap().clone();
    entry.value = b"something else".to_vec();
    other.snapshot.set("data", entry);
    let message = split(&[present("/a", one), present("/b", other)]);
    assert!(message.contains("/a") && message.contains("/b") && message.contains("data"), "{message}");
}

#[test]
fn drives_that_both_went_on_alone_are_two_histories() {
    let shared = epoch(1, 1, 1, vec![drive(0), drive(1)]);
    let alone = |place, id| copy(store(), drive(place), &[shared.clone(), epoch(2, id, 6, vec![drive(place)])], 8);
    let message = split(&[present("/a", alone(0, 2)), present("/b", alone(1, 3))]);
    assert!(message.contains("/a") && message.contains("/b") && message.contains("epoch 2"), "{message}");
}

#[test]
fn one_transaction_past_the_end_of_an_epoch_was_never_acknowledged_and_two_are_another_history() {
    let shared = epoch(1, 1, 1, vec![drive(0), drive(1)]);
    let newest = copy(store(), drive(0), &[shared.clone(), epoch(2, 2, 6, vec![drive(0)])], 8);
    let at = |revision| present("/b", copy(store(), drive(1), std::slice::from_ref(&shared), revision));
    for revision in [3, 4, 5, 6] {
        let plan = decide(None, &[present("/a", newest.clone()), at(revision)]).unwrap();
        assert_eq!(plan.labels, [Label::Current, Label::Older], "revision {revision}");
    }
    split(&[present("/a", newest), at(7)]);
}

#[test]
fn only_one_missing_transaction_can_be_caught_up_with() {
    let epochs = [epoch(1, 1, 1, vec![drive(0), drive(1)])];
    let at = |place, revision| copy(store(), drive(place), &epochs, revision);
    for (revision, label) in [(9, Label::Current), (8, Label::Behind), (7, Label::Older), (1, Label::Older)] {
        let plan = decide(None, &[present("/a", at(0, 9)), present("/b", at(1, revision))]).unwrap();
        assert_eq!(plan.labels, [Label::Current, label], "revision {revision}");
    }
}

#[test]
fn a_member_that_missed_only_the_beginning_of_the_epoch_is_behind() {
    let everyone = vec![drive(0), drive(1)];
    let one = epoch(1, 1, 1, vec![drive(0), drive(1), drive(2)]);
    let newest = copy(store(), drive(0), &[one.clone(), epoch(2, 2, 6, everyone)], 6);
    for (place, label) in [(1, Label::Behind), (2, Label::Older)] {
        let other = copy(store(), drive(place), std::slice::from_ref(&one), 5);
        let plan = decide(None, &[present("/a", newest.clone()), present("/b", other)]).unwrap();
        assert_eq!(plan.labels, [Label::Current, label]);
    }
}

#[test]
fn a_clone_of_a_drive_is_refused() {
    let one = copy(store(), drive(0), &[epoch(1, 1, 1, vec![drive(0)])], 5);
    let error = decide(None, &[present("/a", one.clone()), present("/b", one)]).unwrap_err();
    assert!(matches!(&error, RecoveryError::Clone { one, other, .. } if one == "/a" && other == "/b"), "{error}");
}

#[test]
fn a_copy_on_another_way_than_the_witness_saw_is_refused() {
    let one = copy(store(), drive(0), &[epoch(1, 1, 1, vec![drive(0)]), epoch(2, 77, 4, vec![drive(0)])], 5);
    let known = mark(Remembers::NewestEpoch).unwrap();
    assert!(matches!(decide(Some(&known), &[present("/a", one)]), Err(RecoveryError::Split { .. })));
}

#[test]
fn a_stale_copy_says_where_the_newest_is() {
    let states = [State::Older, State::Absent];
    let error = decide(mark(Remembers::NewestEpoch).as_ref(), &looks(found(&states))).unwrap_err();
    assert!(error.to_string().contains("the lost drive"), "{error}");
}

#[test]
fn copies_that_make_no_sense_are_not_understood() {
    let good = copy(store(), drive(0), &[epoch(1, 1, 1, vec![drive(0)]), epoch(2, 2, 4, vec![drive(0)])], 5).snapshot;
    let without = |key: &str| {
        let mut bad = good.clone();
        bad.entries.retain(|(known, _)| known != key);
        super::Replica::parse(bad)
    };
    for key in ["replica/store", "replica/drive", &epoch(1, 1, 1, vec![]).key()] {
        without(key).unwrap_err();
    }
    super::Replica::parse(crate::store::Snapshot::default()).unwrap_err();
    let mut later = good.clone();
    later.revision = crate::store::Revision(3);
    super::Replica::parse(later).unwrap_err();
    let mut illegible = good;
    let mut entry = illegible.get("replica/store").unwrap().clone();
    entry.value = Uuid::nil().as_bytes().to_vec();
    illegible.set("replica/store", entry);
    super::Replica::parse(illegible).unwrap_err();
}
