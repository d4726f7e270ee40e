//! The life of a master key in detail: evidence for whoever has to believe that it is gone.

use keywrap::keys::KeyId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::key_servers::KeyServerId;
use super::master_keys::MasterKeyState;
use super::record::Record;
use crate::time::UnixSeconds;

/// Samples of dependants that are kept: the first ones and the last.
const SAMPLES: usize = 64;
/// Dependants that a sample names.
const NAMED: usize = 16;
/// Answers that are kept.
const ANSWERS: usize = 64;
/// Readings in one record.
pub const READINGS: usize = 256;

/// Everything that is known of a key beyond [`super::MasterKeyRecord`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyLife {
    /// The key.
    pub id: KeyId,
    /// Its states, first to last.
    pub steps: Vec<Step>,
    /// How many headers depended on it, each time that this changed.
    pub dependants: Vec<Sample>,
    /// Servers that held it and were taken out of its provider: copies may remain there.
    pub left_on: Vec<LeftCopy>,
    /// The proof that nothing depends on it.
    pub proof: Option<Proof>,
    /// How many proofs there were; one fails when a header comes back.
    pub proofs: u32,
    /// The word of an administrator that it may end.
    pub word: Option<Word>,
    /// What key servers and metadata drives answered when it was ended.
    pub answers: Vec<Answer>,
    /// When its hold began, where the time of the last step is one to come: a clock was set back since.
    #[serde(default)]
    pub held_since: Option<UnixSeconds>,
}

/// A state that a key went into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When.
    pub at: UnixSeconds,
    /// Which.
    pub state: MasterKeyState,
    /// Why, for people.
    pub why: String,
    /// The head of the audit log after the entry about it; `None` where no log is kept.
    pub audit: Option<String>,
}

/// How many headers depended on a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// When.
    pub at: UnixSeconds,
    /// How many.
    pub count: usize,
    /// The first of them, by name, with what is wrong with them.
    pub named: Vec<String>,
}

/// A server that may still hold a copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftCopy {
    /// When it was taken out.
    pub at: UnixSeconds,
    /// Its id then.
    pub server: KeyServerId,
    /// Its name then.
    pub name: String,
}

/// That nothing depends on a key any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// When it was complete.
    pub at: UnixSeconds,
    /// Tells the readings of this proof from those of an earlier one.
    pub number: u32,
    /// Headers that were read for it, or whose last reading counts because they are away.
    pub headers: usize,
    /// The key in force.
    pub in_force: KeyId,
    /// The key servers that gave out the key in force, by name; empty when it is an internal one.
    pub agreed: Vec<String>,
}

/// An administrator's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// When.
    pub at: UnixSeconds,
    /// Whose.
    pub by: String,
    /// Whether the key is to end whatever depends on it.
    pub is_forced: bool,
    /// How many headers depended on it then.
    pub dependants: usize,
}

/// What one place answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// When.
    pub at: UnixSeconds,
    /// The key server or metadata drive.
    pub place: String,
    /// What was asked: `revoke`, `destroy`, `wipe`.
    pub request: String,
    /// What it said.
    pub answer: String,
    /// Whether it is done there.
    pub is_done: bool,
}

impl KeyLife {
    /// A key of which nothing is known yet.
    #[must_use]
    pub fn new(id: KeyId) -> Self {
        let (steps, dependants, left_on, answers) = Default::default();
        Self { id, steps, dependants, left_on, proof: None, proofs: 0, word: None, answers, held_since: None }
    }

    /// Notes how many headers depend on it, if that has changed. The middle of a long row is given up.
    pub fn sample(&mut self, at: UnixSeconds, dependants: &[String]) {
        let named: Vec<String> = dependants.iter().take(NAMED).cloned().collect();
        let last = self.dependants.last();
        if last.is_some_and(|last| last.count == dependants.len() && last.named == named) {
            return;
        }
        if self.dependants.len() >= SAMPLES {
            self.dependants.remove(SAMPLES / 2);
        }
        self.dependants.push(Sample { at, count: dependants.len(), named });
    }

    /// Notes an answer; one that repeats the last of its place replaces it.
    pub fn answered(&mut self, answer: Answer) {
        self.answers.retain(|known| {
            (&known.place, &known.request, &known.answer) != (&answer.place, &answer.request, &answer.answer)
        });
        if self.answers.len() >= ANSWERS {
            self.answers.remove(0);
        }
        self.answers.push(answer);
    }
}

impl Record for KeyLife {
    const KIND: &'static str = "key-life";
    type Id = KeyId;

    fn id(&self) -> KeyId {
        self.id
    }
}

/// A part of the readings that a [`Proof`] stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readings {
    /// Made of the key, the number of the proof and that of the part.
    pub id: Uuid,
    /// The key.
    pub key: KeyId,
    /// The proof.
    pub proof: u32,
    /// The part, from 0.
    pub part: u32,
    /// At most [`READINGS`].
    pub readings: Vec<Reading>,
}

/// One header that does not name the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Its name.
    pub header: String,
    /// When it was read.
    pub at: UnixSeconds,
    /// The keys that it named.
    pub keys: Vec<KeyId>,
    /// Whether it was away when the proof was made, so that an earlier reading counts.
    pub is_earlier: bool,
}

impl Readings {
    /// One part of the readings for a proof.
    #[must_use]
    pub fn new(key: KeyId, proof: u32, part: u32, readings: Vec<Reading>) -> Self {
        let id = Uuid::from_u128(key.0.as_u128() ^ (u128::from(proof) << 32 | u128::from(part)));
        Self { id, key, proof, part, readings }
    }
}

impl Record for Readings {
    const KIND: &'static str = "key-reading";
    type Id = Uuid;

    fn id(&self) -> Uuid {
        self.id
    }

    fn index(&self) -> Vec<(&'static str, String)> {
        vec![("key", self.key.to_string())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_stays_within_a_value_of_the_store() {
        let mut life = KeyLife::new(KeyId::random());
        for n in 0..1000_u64 {
            let names: Vec<String> =
                (0..n % 50).map(|at| format!("backup /{} of volume {at}", "x".repeat(20))).collect();
            life.sample(UnixSeconds(n), &names);
            let (place, request) = (format!("server {n}"), "revoke".into());
            life.answered(Answer { at: UnixSeconds(n), place, request, answer: "done".into(), is_done: true });
        }
        assert_eq!((life.dependants.len(), life.answers.len()), (SAMPLES, ANSWERS));
        assert_eq!(life.dependants[0].at, UnixSeconds(0), "the first is kept");
        assert!(serde_json::to_vec(&life).unwrap().len() < crate::store::MAX_VALUE_LEN);
    }

    #[test]
    fn what_has_not_changed_is_noted_once() {
        let mut life = KeyLife::new(KeyId::random());
        for (at, names) in [(1, vec!["volume 1".to_owned()]), (2, vec!["volume 1".to_owned()]), (3, vec![])] {
            life.sample(UnixSeconds(at), &names);
        }
        assert_eq!(life.dependants.iter().map(|sample| sample.at.0).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn a_part_of_the_readings_fits_into_a_value_of_the_store() {
        let reading = Reading {
            header: format!("backup /{} of volume 1000000", "x".repeat(60)),
            at: UnixSeconds(1_700_000_000),
            keys: vec![KeyId::random()],
            is_earlier: false,
        };
        let part = Readings::new(KeyId::random(), 1, 2, vec![reading; READINGS]);
        assert!(serde_json::to_vec(&part).unwrap().len() < crate::store::MAX_VALUE_LEN);
    }
}
