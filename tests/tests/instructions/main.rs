//! How many instructions a cipher takes is not more than what is on record. Unlike time, the number is the same on every
//! machine that can run the engine, and on every day.
//!
//! After a change that is meant to change the numbers: `SEAR_RECORD_INSTRUCTIONS=1 cargo test -p sear-tests --test
//! instructions`, on a machine that can run every engine.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod record;

use std::collections::BTreeMap;

use datapath::cipher::Direction::{Decrypt, Encrypt};
use datapath::cipher::dispatch::{Engine, EngineName};
use keywrap::geometry::SectorSize::{B512, B4096};
use sear_tests::probe::{Job, Shape, Subject, program};
use sear_tests::trace::count;

use record::{Counts, RERECORD, Record, features, rustc_of};

/// How much more than the record is still no change, in percent.
const TOLERANCE: u64 = 2;

/// Two lengths whose difference gives the cost of going on: below where any engine starts to prefetch, to stream or to
/// share work.
const LENGTHS: [usize; 2] = [16 << 10, 32 << 10];

#[test]
fn no_engine_takes_more_instructions_than_on_record() {
    let rustc = rustc_of(program());
    if std::env::var_os(RERECORD).is_some() {
        return Record { rustc, features: features(), counts: measure_all(|_| true) }.write();
    }
    let record = Record::read();
    if rustc != record.rustc {
        return println!(
            "skipped: the record is of rustc {}, this is {rustc}; {RERECORD}=1 records again",
            record.rustc
        );
    }
    let measured = measure_all(|engine| is_comparable(engine, &record));
    let worse: Vec<String> = measured.iter().filter_map(|(job, now)| worse(job, *now, &record)).collect();
    assert!(worse.is_empty(), "{}\nIf it has to be: {RERECORD}=1 records again.", worse.join("\n"));
}

#[test]
fn more_than_the_tolerance_is_too_much() {
    assert!(!is_more(102, 100));
    assert!(is_more(103, 100));
    assert!(!is_more(50, 100));
}

/// Whether the record says something about an engine on this machine; if not, why is printed.
fn is_comparable(engine: EngineName, record: &Record) -> bool {
    let is_recorded = record.counts.keys().any(|job| job.starts_with(engine.as_str()));
    let is_same = engine != EngineName::Portable || features() == record.features;
    if !is_recorded {
        println!("skipped: {engine} is not in the record");
    } else if !is_same {
        println!("skipped: {engine} depends on the processor; on record is one with {}", record.features);
    }
    is_recorded && is_same
}

fn worse(job: &str, now: Counts, record: &Record) -> Option<String> {
    let then = record.counts.get(job)?;
    let is_worse = is_more(now.call, then.call) || is_more(now.marginal, then.marginal);
    is_worse.then(|| format!("{job}: {now:?} instructions, on record are {then:?}"))
}

const fn is_more(now: u64, then: u64) -> bool {
    now * 100 > then * (100 + TOLERANCE)
}

/// The counts of every engine that this machine can run and that is `wanted`. The slow reference engine has none.
fn measure_all(wanted: impl Fn(EngineName) -> bool) -> BTreeMap<String, Counts> {
    let here: Vec<EngineName> = Engine::available().map(Engine::name).collect();
    for missing in EngineName::ALL.iter().filter(|engine| !here.contains(engine)) {
        println!("skipped: this processor cannot run {missing}");
    }
    let engines = here.into_iter().filter(|engine| *engine != EngineName::XtsMode && wanted(*engine));
    engines.flat_map(jobs).map(|job| (words(job), measure(job))).collect()
}

/// Both units and both directions; for the portable engine one, since the two differ in one call of the `aes` crate.
fn jobs(engine: EngineName) -> impl Iterator<Item = Job> {
    let each = [(Encrypt, B512), (Encrypt, B4096), (Decrypt, B512), (Decrypt, B4096)].into_iter();
    each.take(if engine == EngineName::Portable { 2 } else { 4 }).map(move |(direction, unit)| Job {
        subject: Subject::Engine(engine),
        direction,
        shape: Shape::InPlace(unit),
        len: 4096,
    })
}

fn measure(job: Job) -> Counts {
    let [short, long] = LENGTHS.map(|len| count(Job { len, ..job }));
    let further = (LENGTHS[1] - LENGTHS[0]) / 4096;
    Counts { call: count(job), marginal: (long - short) / further as u64 }
}

/// The words of a job without its length.
fn words(job: Job) -> String {
    let text = job.to_string();
    text.rsplit_once(' ').map_or(text.clone(), |(words, _)| words.to_owned())
}
