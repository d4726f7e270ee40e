//! Faults against a plain list.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::store::MemoryStore;

fn records() -> (Arc<MemoryStore>, Records) {
    let store = Arc::new(MemoryStore::new());
    (store.clone(), Records::new(store))
}

fn fault(code: &str, subject: &str, details: &str) -> NewFault {
    NewFault {
        code: code.into(),
        subject: subject.into(),
        severity: Severity::Warning,
        kind: "cluster".into(),
        details: details.into(),
        ids: Map::new(),
    }
}

#[test]
fn raising_again_is_the_same_fault_and_writes_only_what_is_new() {
    let (store, records) = records();
    let faults = Faults::new(&records);
    let first = faults.raise(&fault("kmipServerFault", "server/1", "no answer"), UnixSeconds(10)).unwrap();
    let before = store.snapshot();
    assert_eq!(faults.raise(&fault("kmipServerFault", "server/1", "no answer"), UnixSeconds(20)).unwrap(), first);
    assert_eq!(store.snapshot(), before);
    let worse = NewFault { severity: Severity::Error, ..fault("kmipServerFault", "server/1", "refused") };
    let second = faults.raise(&worse, UnixSeconds(30)).unwrap();
    assert_eq!((second.id, second.date, &second.what), (first.id, first.date, &worse));
    assert_ne!(faults.raise(&fault("kmipServerFault", "server/10", "x"), UnixSeconds(30)).unwrap().id, first.id);
}

#[test]
fn a_resolved_fault_that_comes_back_is_another_one() {
    let (_, records) = records();
    let faults = Faults::new(&records);
    let what = fault("sliceServiceUnhealthy", "drive/1", "x");
    let first = faults.raise(&what, UnixSeconds(1)).unwrap();
    assert_eq!(
        faults.resolve(&what.code, &what.subject, UnixSeconds(2)).unwrap().unwrap().resolved,
        Some(UnixSeconds(2))
    );
    assert_eq!(faults.resolve(&what.code, &what.subject, UnixSeconds(3)).unwrap(), None);
    let second = faults.raise(&what, UnixSeconds(4)).unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(faults.list(Which::All).unwrap().len(), 2);
    faults.clear(Which::Resolved).unwrap();
    assert_eq!(faults.list(Which::All).unwrap(), [second]);
}

#[test]
fn only_so_many_resolved_faults_are_remembered() {
    let (_, records) = records();
    let faults = Faults::new(&records);
    let what = fault("driveFailed", "drive/1", "x");
    for now in 0..MAX_RESOLVED as u64 + 3 {
        faults.raise(&what, UnixSeconds(now)).unwrap();
        faults.resolve(&what.code, &what.subject, UnixSeconds(now)).unwrap();
    }
    let resolved = faults.list(Which::Resolved).unwrap();
    assert_eq!((resolved.len(), resolved[0].date), (MAX_RESOLVED, UnixSeconds(3)));
}

#[test]
fn names_that_do_not_fit_into_a_key_are_refused() {
    let (_, records) = records();
    let long = "x".repeat(MAX_NAME + 1);
    for (code, subject) in [("", "s"), ("c", ""), ("c", long.as_str()), ("c c", "s")] {
        let outcome = Faults::new(&records).raise(&fault(code, subject, ""), UnixSeconds(1));
        assert!(matches!(outcome, Err(RecordError::Invalid { .. })), "{code:?} {subject:?}");
    }
}

#[derive(Clone, Debug)]
enum Verb {
    Raise(usize, usize, u8),
    Resolve(usize, usize),
    Clear(usize),
}

const CODES: [&str; 2] = ["a", "a/b"];
const SUBJECTS: [&str; 3] = ["b", "b/1", "%2F"];
const WHICH: [Which; 3] = [Which::Current, Which::Resolved, Which::All];

fn verb() -> impl Strategy<Value = Verb> {
    let (code, subject) = (|| 0..CODES.len(), || 0..SUBJECTS.len());
    prop_oneof![
        4 => (code(), subject(), 0..3_u8).prop_map(|(code, subject, details)| Verb::Raise(code, subject, details)),
        3 => (code(), subject()).prop_map(|(code, subject)| Verb::Resolve(code, subject)),
        1 => (0..WHICH.len()).prop_map(Verb::Clear),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn faults_behave_like_a_list(verbs in proptest::collection::vec(verb(), 1..40)) {
        let (_, records) = records();
        let faults = Faults::new(&records);
        let mut model: Vec<Fault> = Vec::new();
        let mut last = 0;
        for (now, verb) in (0..).map(UnixSeconds).zip(&verbs) {
            let same = |fault: &&mut Fault, code: usize, subject: usize| {
                fault.resolved.is_none() && fault.what.code == CODES[code] && fault.what.subject == SUBJECTS[subject]
            };
            match *verb {
                Verb::Raise(code, subject, details) => {
                    let what = fault(CODES[code], SUBJECTS[subject], &details.to_string());
                    faults.raise(&what, now).unwrap();
                    if let Some(known) = model.iter_mut().find(|fault| same(fault, code, subject)) {
                        known.what = what;
                    } else {
                        last += 1;
                        model.push(Fault { id: FaultId(last), date: now, resolved: None, what });
                    }
                }
                Verb::Resolve(code, subject) => {
                    let resolved = faults.resolve(CODES[code], SUBJECTS[subject], now).unwrap();
                    let known = model.iter_mut().find(|fault| same(fault, code, subject));
                    prop_assert_eq!(resolved.is_some(), known.is_some());
                    known.into_iter().for_each(|fault| fault.resolved = Some(now));
                }
                Verb::Clear(which) => {
                    faults.clear(WHICH[which]).unwrap();
                    model.retain(|fault| !fault.is(WHICH[which]));
                }
            }
            prop_assert_eq!(&faults.list(Which::All).unwrap(), &model);
        }
    }
}
