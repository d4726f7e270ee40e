//! Power cuts at every step of every transaction, and damage to every part of the file.

use std::collections::BTreeMap;
use std::panic;

use super::sim::{SimDisk, Survive};
use super::tables::{self, Failure, SCHEMA};
use super::{Path, StoreError, builder};
use crate::store::{Revision, Snapshot, Transaction};

type Contents = BTreeMap<String, Vec<u8>>;

const NO_CRASH: usize = usize::MAX;

/// Transactions that make, change and remove keys, small and spanning pages.
fn script() -> Vec<Transaction> {
    vec![
        Transaction::new().put("a", b"first".to_vec()).put("b", vec![1; 9000]),
        Transaction::new().put("a", vec![2; 300]).delete("b").put("c", b"third".to_vec()),
        Transaction::new().delete("a").put("d", vec![4; 20_000]),
    ]
}

/// The contents after the first `count` transactions of the script.
fn model(count: usize) -> Contents {
    let mut contents = Contents::new();
    for transaction in script().iter().take(count) {
        for (key, change) in transaction.changes() {
            match change {
                crate::store::Change::Put(value) => drop(contents.insert(key.clone(), value.clone())),
                crate::store::Change::Delete => drop(contents.remove(key)),
            }
        }
    }
    contents
}

fn commit(disk: &SimDisk, transaction: &Transaction) -> Result<Revision, Failure> {
    let database = builder().create_with_backend(disk.clone())?;
    tables::session(database, |database| tables::commit(database, transaction))
}

fn contents(image: Vec<u8>) -> Result<Contents, Failure> {
    let database = builder().create_with_backend(SimDisk::new(image, NO_CRASH))?;
    let entries = tables::session(database, |database| tables::list(database, ""))?;
    Ok(entries.into_iter().map(|(key, entry)| (key, entry.value)).collect())
}

/// The image of a new, empty store.
fn empty_image() -> Vec<u8> {
    let disk = SimDisk::new(Vec::new(), NO_CRASH);
    let database = builder().create_with_backend(disk.clone()).unwrap();
    tables::initialise(&database, &Snapshot::default()).unwrap();
    database.close().unwrap();
    disk.after_crash(Survive::Everything)
}

fn full_image() -> Vec<u8> {
    let disk = SimDisk::new(empty_image(), NO_CRASH);
    for transaction in script() {
        commit(&disk, &transaction).unwrap();
    }
    disk.after_crash(Survive::Nothing)
}

#[test]
fn after_a_power_cut_at_any_step_the_store_holds_all_or_nothing_of_each_transaction() {
    let start = empty_image();
    let survivors: Vec<Survive> =
        [Survive::Nothing, Survive::Everything].into_iter().chain((1..=6).map(Survive::Coin)).collect();
    for steps in 0.. {
        let disk = SimDisk::new(start.clone(), steps);
        let done = script().iter().take_while(|transaction| commit(&disk, transaction).is_ok()).count();
        for &survive in &survivors {
            let found = contents(disk.after_crash(survive)).unwrap();
            let allowed = found == model(done) || found == model(done + 1);
            assert!(allowed, "cut after {steps} steps, {done} transactions done, {survive:?}: {:?}", found.keys());
        }
        if disk.steps_left() > 0 {
            assert_eq!(done, script().len());
            assert!(steps > 30, "the script takes only {steps} steps: is it simulated at all?");
            return;
        }
    }
}

#[test]
fn a_power_cut_during_recovery_from_a_power_cut_loses_nothing() {
    let start = empty_image();
    let disk = SimDisk::new(start, NO_CRASH);
    commit(&disk, &script()[0]).unwrap();
    // Cut in the middle of the second transaction, so that the next opening has to repair.
    let cut = SimDisk::new(disk.after_crash(Survive::Nothing), 8);
    assert!(commit(&cut, &script()[1]).is_err());
    let broken = cut.after_crash(Survive::Everything);
    for steps in 0.. {
        let disk = SimDisk::new(broken.clone(), steps);
        let done = commit(&disk, &script()[1]).is_ok();
        for survive in [Survive::Nothing, Survive::Everything, Survive::Coin(1), Survive::Coin(2)] {
            let found = contents(disk.after_crash(survive)).unwrap();
            assert!(found == model(2) || (!done && found == model(1)), "cut after {steps} steps, {survive:?}");
        }
        if disk.steps_left() > 0 {
            return;
        }
    }
}

#[test]
fn a_flipped_bit_is_reported_or_harmless_but_never_believed() {
    let image = full_image();
    let expected = model(script().len());
    let (mut reported, mut harmless) = (0, 0);
    for position in (0..image.len()).step_by(61).chain(0..512) {
        let mut altered = image.clone();
        altered[position] ^= 1 << (position % 8);
        match panic::catch_unwind(|| contents(altered)) {
            Ok(Ok(found)) => {
                assert_eq!(found, expected, "byte {position}");
                harmless += 1;
            }
            Ok(Err(failure)) => {
                let error = failure.at(Path::new("state.redb"));
                assert!(matches!(error, StoreError::Damaged { .. }), "byte {position}: {error}");
                reported += 1;
            }
            Err(_) => panic!("byte {position}: panic"),
        }
    }
    assert!(reported > 50 && harmless > 50, "{reported} reported, {harmless} in unused space");
}

#[test]
fn a_store_of_another_schema_is_refused_by_its_number() {
    let disk = SimDisk::new(empty_image(), NO_CRASH);
    let database = builder().create_with_backend(disk.clone()).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(tables::META).unwrap().insert(SCHEMA, 2).unwrap();
    write.commit().unwrap();
    database.close().unwrap();
    let error = contents(disk.after_crash(Survive::Nothing)).unwrap_err().at(Path::new("state.redb"));
    assert!(matches!(error, StoreError::Schema { found: 2, known: 1, .. }), "{error}");
}

#[test]
fn a_database_without_our_tables_is_damaged_rather_than_empty() {
    let disk = SimDisk::new(Vec::new(), NO_CRASH);
    builder().create_with_backend(disk.clone()).unwrap().close().unwrap();
    let error = contents(disk.after_crash(Survive::Everything)).unwrap_err().at(Path::new("state.redb"));
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}
