//! The log against a plain queue.

use std::collections::VecDeque;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::store::MemoryStore;

fn records() -> Records {
    Records::new(Arc::new(MemoryStore::new()))
}

fn event(kind: &str, message: &str) -> NewEvent {
    NewEvent { kind: kind.into(), message: message.into(), ids: Map::new(), details: Value::Null }
}

fn ids(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.id.0).collect()
}

#[test]
fn events_are_found_by_id_time_type_and_what_they_are_about() {
    let records = records();
    let log = EventLog::new(&records);
    for at in 1..=6 {
        let kind = if at % 2 == 0 { "apiEvent" } else { "driveEvent" };
        let mut what = event(kind, "x");
        what.ids.insert("driveID".into(), (at / 3).into());
        log.append(&what, UnixSeconds(at * 10)).unwrap();
    }
    let query = |query: EventQuery| ids(&log.query(&query).unwrap());
    assert_eq!(query(EventQuery::default()), [1, 2, 3, 4, 5, 6]);
    assert_eq!(query(EventQuery { first: Some(EventId(2)), last: Some(EventId(4)), ..Default::default() }), [2, 3, 4]);
    let times = EventQuery { from: Some(UnixSeconds(20)), until: Some(UnixSeconds(39)), ..Default::default() };
    assert_eq!(query(times), [2, 3]);
    assert_eq!(query(EventQuery { kind: Some("APIEVENT".into()), ..Default::default() }), [2, 4, 6]);
    assert_eq!(query(EventQuery { limit: Some(2), ..Default::default() }), [5, 6]);
    let about = Map::from_iter([("driveID".to_owned(), Value::from(1))]);
    assert_eq!(query(EventQuery { ids: about, ..Default::default() }), [3, 4, 5]);
}

#[test]
fn an_event_happens_with_the_change_it_tells_of_or_not_at_all() {
    let records = records();
    let log = EventLog::new(&records);
    let outcome: Result<(), RecordError> = records.transact(|work| {
        log.append_in(work, &event("apiEvent", "x"), UnixSeconds(1))?;
        Err(RecordError::Contended)
    });
    outcome.unwrap_err();
    assert!(log.query(&EventQuery::default()).unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_log_behaves_like_a_queue(capacities in proptest::collection::vec((1..8_u64, 0..300_u64), 1..6)) {
        let records = records();
        let mut model: VecDeque<u64> = VecDeque::new();
        let mut last = 0;
        for (capacity, appended) in capacities {
            let log = EventLog::new(&records).with_capacity(capacity);
            log.trim().unwrap();
            for _ in 0..appended {
                log.append(&event("apiEvent", "x"), UnixSeconds(1)).unwrap();
                last += 1;
                model.push_back(last);
            }
            while model.len() as u64 > capacity {
                model.pop_front();
            }
            prop_assert_eq!(ids(&log.query(&EventQuery::default()).unwrap()), model.iter().copied().collect::<Vec<_>>());
        }
    }
}
