//! The generic table: against a map in memory, against threads, and against damage.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::id::counted_id;
use super::*;
use crate::store::{MemoryStore, Transaction};

counted_id! {
    /// An id for this test.
    ThingId
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thing {
    id: ThingId,
    colour: String,
}

impl Record for Thing {
    const KIND: &'static str = "thing";
    type Id = ThingId;

    fn id(&self) -> ThingId {
        self.id
    }

    fn index(&self) -> Vec<(&'static str, String)> {
        vec![("colour", self.colour.clone())]
    }
}

const COLOURS: [&str; 4] = ["red", "red/1", "red%2F1", ""];

#[derive(Clone, Debug)]
enum Verb {
    Insert(usize),
    Update(u64, usize),
    Delete(u64),
    /// Deletes one and adds one in a single transaction, which is then given up or not.
    Swap(u64, usize, bool),
}

fn verb() -> impl Strategy<Value = Verb> {
    let (id, colour) = (|| 1..8_u64, || 0..COLOURS.len());
    prop_oneof![
        3 => colour().prop_map(Verb::Insert),
        2 => (id(), colour()).prop_map(|(id, colour)| Verb::Update(id, colour)),
        1 => id().prop_map(Verb::Delete),
        1 => (id(), colour(), any::<bool>()).prop_map(|(id, colour, give_up)| Verb::Swap(id, colour, give_up)),
    ]
}

#[derive(Default)]
struct Model {
    last: u64,
    things: BTreeMap<u64, &'static str>,
}

impl Model {
    fn insert(&mut self, colour: usize) {
        self.last += 1;
        self.things.insert(self.last, COLOURS[colour]);
    }

    fn apply(&mut self, verb: &Verb) {
        match *verb {
            Verb::Insert(colour) => self.insert(colour),
            Verb::Update(id, colour) => drop(self.things.get_mut(&id).map(|known| *known = COLOURS[colour])),
            Verb::Delete(id) => drop(self.things.remove(&id)),
            Verb::Swap(id, colour, false) => {
                self.things.remove(&id);
                self.insert(colour);
            }
            Verb::Swap(_, _, true) => {}
        }
    }
}

fn thing(colour: usize) -> impl Fn(ThingId) -> Thing {
    move |id| Thing { id, colour: COLOURS[colour].into() }
}

fn apply(records: &Records, verb: &Verb) {
    let things = records.table::<Thing>();
    match *verb {
        Verb::Insert(colour) => drop(things.insert(thing(colour)).unwrap()),
        Verb::Update(id, colour) => drop(things.update(ThingId(id), |thing| thing.colour = COLOURS[colour].into())),
        Verb::Delete(id) => drop(things.delete(ThingId(id)).unwrap()),
        Verb::Swap(id, colour, give_up) => drop(records.transact(|work| {
            work.delete::<Thing>(ThingId(id))?;
            let made = work.insert(thing(colour))?;
            assert_eq!(work.get(made.id)?.as_ref(), Some(&made), "reads see the changes");
            assert_eq!(work.get::<Thing>(ThingId(id))?.is_some(), made.id == ThingId(id));
            assert!(work.list::<Thing>()?.contains(&made));
            assert!(work.find::<Thing>("colour", COLOURS[colour])?.contains(&made));
            if give_up { Err(RecordError::Contended) } else { Ok(()) }
        })),
    }
}

fn check(records: &Records, model: &Model) {
    let things = records.table::<Thing>();
    let all: BTreeMap<u64, String> =
        things.list().unwrap().into_iter().map(|thing| (thing.id.0, thing.colour)).collect();
    let expected: BTreeMap<u64, String> = model.things.iter().map(|(id, colour)| (*id, (*colour).to_owned())).collect();
    assert_eq!(all, expected);
    for colour in COLOURS {
        let found: Vec<u64> = things.find("colour", colour).unwrap().iter().map(|thing| thing.id.0).collect();
        let of_colour: Vec<u64> =
            model.things.iter().filter(|(_, known)| **known == colour).map(|(id, _)| *id).collect();
        assert_eq!(found, of_colour, "{colour:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_table_behaves_like_a_map(verbs in proptest::collection::vec(verb(), 1..40)) {
        let records = Records::new(Arc::new(MemoryStore::new()));
        let mut model = Model::default();
        for verb in &verbs {
            apply(&records, verb);
            model.apply(verb);
            check(&records, &model);
        }
    }
}

#[test]
fn an_id_is_never_given_out_again_also_after_a_restart() {
    let store = Arc::new(MemoryStore::new());
    let first = Records::new(store.clone()).table::<Thing>().insert(thing(0)).unwrap().id;
    Records::new(store.clone()).table::<Thing>().delete(first).unwrap();
    assert_eq!(Records::new(store).table::<Thing>().insert(thing(0)).unwrap().id, ThingId(first.0 + 1));
}

#[test]
fn writers_that_share_a_store_but_no_lock_lose_no_change() {
    let store = Arc::new(MemoryStore::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            // Records of their own, as two processes would have.
            let records = Records::new(store.clone());
            scope.spawn(move || {
                let mut done = 0;
                while done < 40 {
                    match records.table::<Thing>().insert(thing(done % COLOURS.len())) {
                        Ok(_) => done += 1,
                        Err(RecordError::Contended) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    let ids: Vec<u64> = Records::new(store).table::<Thing>().list().unwrap().iter().map(|thing| thing.id.0).collect();
    assert_eq!(ids, (1..=120).collect::<Vec<_>>());
}

/// A store in which somebody else always is faster.
struct Busy(MemoryStore);

impl Store for Busy {
    fn get(&self, key: &str) -> Result<Option<crate::store::Entry>, StoreError> {
        self.0.get(key)
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, crate::store::Entry)>, StoreError> {
        self.0.list(prefix)
    }

    fn commit(&self, transaction: &Transaction) -> Result<crate::store::Revision, StoreError> {
        for key in transaction.expected().keys().filter(|key| key.starts_with("table/")) {
            self.0.commit(&Transaction::new().put(key, b"7".to_vec()))?;
        }
        self.0.commit(transaction)
    }
}

#[test]
fn a_change_that_never_finds_a_gap_ends() {
    let records = Records::new(Arc::new(Busy(MemoryStore::new())));
    assert!(matches!(records.table::<Thing>().insert(thing(0)), Err(RecordError::Contended)));
    assert!(records.table::<Thing>().list().unwrap().is_empty());
}

#[test]
fn a_list_that_a_decision_rests_on_must_still_be_true() {
    let store = Arc::new(MemoryStore::new());
    let (records, other) = (Records::new(store.clone()), Records::new(store));
    let mut decided = Vec::new();
    records
        .transact(|work| -> Result<(), RecordError> {
            let count = work.list::<Thing>()?.len();
            if decided.is_empty() {
                other.table::<Thing>().insert(thing(1))?;
            }
            decided.push(count);
            work.put(&KeyProviderRecord {
                id: KeyProviderId(1),
                name: count.to_string(),
                active: false,
                rotation_days: None,
            })
        })
        .unwrap();
    assert_eq!(decided, [0, 1], "it was decided again");
    assert_eq!(records.table::<KeyProviderRecord>().need(KeyProviderId(1)).unwrap().name, "1");
}

#[test]
fn a_record_that_cannot_be_read_is_named_and_kept() {
    let store = Arc::new(MemoryStore::new());
    let records = Records::new(store.clone());
    let id = records.table::<Thing>().insert(thing(0)).unwrap().id;
    let key = record::key_of::<Thing>(id);
    let good = String::from_utf8(store.get(&key).unwrap().unwrap().value).unwrap();
    for bad in ["{".to_owned(), good.replacen('{', "{\"later\":1,", 1), good.replace("\"id\":1", "\"id\":2")] {
        store.commit(&Transaction::new().put(&key, bad.clone().into_bytes())).unwrap();
        let update = records.table::<Thing>().update(id, |_| ()).unwrap_err();
        for error in [records.table::<Thing>().list().unwrap_err(), update] {
            assert!(matches!(&error, RecordError::Damaged { key: named, .. } if *named == key), "{error}");
        }
        assert_eq!(store.get(&key).unwrap().unwrap().value, bad.as_bytes());
    }
}

#[test]
fn what_is_not_there_cannot_be_changed_and_ids_cannot_be_changed() {
    let records = Records::new(Arc::new(MemoryStore::new()));
    let things = records.table::<Thing>();
    assert!(matches!(things.update(ThingId(1), |_| ()), Err(RecordError::Absent { .. })));
    let id = things.insert(thing(0)).unwrap().id;
    assert!(matches!(things.update(id, |thing| thing.id = ThingId(9)), Err(RecordError::Invalid { .. })));
    let again = things.create(&thing(1)(id)).unwrap_err();
    assert!(matches!(again, RecordError::Exists { kind: "thing", .. }), "{again}");
    assert_eq!(things.need(id).unwrap().colour, COLOURS[0]);
    assert!(matches!(things.insert(|_| thing(0)(ThingId(50))), Err(RecordError::Invalid { .. })));
}

#[test]
fn ids_end_rather_than_begin_anew() {
    let store = Arc::new(MemoryStore::new());
    store.commit(&Transaction::new().put("table/thing", u64::MAX.to_string().into_bytes())).unwrap();
    assert!(matches!(Records::new(store).table::<Thing>().insert(thing(0)), Err(RecordError::IdsUsedUp("thing"))));
}
