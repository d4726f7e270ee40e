//! The committed counts, and what they hold for.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use datapath::cipher::features::{Feature, Features};
use serde_json::{Value, json};

/// The environment variable that makes the test write the record instead of comparing with it.
pub(crate) const RERECORD: &str = "SEAR_RECORD_INSTRUCTIONS";

/// The counts of one engine, direction and data unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// One call of 4096 bytes.
    pub(crate) call: u64,
    /// Each further 4096 bytes of a longer call.
    pub(crate) marginal: u64,
}

/// The counts by job, and the circumstances in which they were made.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The compiler of the measured program.
    pub(crate) rustc: String,
    /// The features of the processor: the portable engine's `aes` crate makes its own choice by them.
    pub(crate) features: String,
    /// Engine, direction, data unit and place, as words.
    pub(crate) counts: BTreeMap<String, Counts>,
}

impl Record {
    /// Reads the committed record.
    pub(crate) fn read() -> Self {
        let text = fs::read_to_string(path()).expect("the record is committed");
        let value: Value = serde_json::from_str(&text).expect("the record is JSON");
        let counts = value["counts"].as_object().expect("the record has counts");
        Self {
            rustc: text_of(&value["rustc"]),
            features: text_of(&value["features"]),
            counts: counts.iter().map(|(job, counts)| (job.clone(), Counts::from(counts))).collect(),
        }
    }

    /// Writes it.
    pub(crate) fn write(&self) {
        let counts = self.counts.iter().map(|(job, counts)| (job.clone(), Value::from(*counts)));
        let counts: serde_json::Map<String, Value> = counts.collect();
        let value = json!({ "rustc": self.rustc, "features": self.features, "counts": counts });
        let text = serde_json::to_string_pretty(&value).expect("a record is JSON");
        fs::write(path(), text + "\n").expect("the record can be written");
    }
}

impl From<&Value> for Counts {
    fn from(value: &Value) -> Self {
        let number = |name: &str| value[name].as_u64().unwrap_or_else(|| panic!("the record has no number {name}"));
        Self { call: number("call of 4096 bytes"), marginal: number("each further 4096 bytes") }
    }
}

impl From<Counts> for Value {
    fn from(counts: Counts) -> Self {
        json!({ "call of 4096 bytes": counts.call, "each further 4096 bytes": counts.marginal })
    }
}

/// The features of this processor that matter to a cipher.
pub(crate) fn features() -> String {
    let here = Features::detect();
    let names = Feature::ALL.into_iter().filter(|feature| here.have(&[*feature])).map(Feature::as_str);
    names.collect::<Vec<_>>().join(" ")
}

/// The compiler that made a program, as the program says itself: `1.95.0 (59807616e 2026-04-14)`.
pub(crate) fn rustc_of(program: &std::path::Path) -> String {
    let bytes = fs::read(program).expect("the program can be read");
    let text = String::from_utf8_lossy(&bytes);
    let after = text.split("rustc version ").nth(1).expect("rustc leaves its version in what it makes");
    after.split_inclusive(')').next().unwrap_or_default().to_owned()
}

fn text_of(value: &Value) -> String {
    value.as_str().expect("the record has a text here").to_owned()
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../benches/record/instructions.json")
}
