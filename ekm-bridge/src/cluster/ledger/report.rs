//! The certificate of a key: everything that an auditor may want to see of it.

use keywrap::keys::KeyId;

use super::show::{named, state};
use crate::cluster::control::ClusterControl;
use crate::cluster::errors::of_record;
use crate::cluster::keys::key_info;
use crate::records::key_lives::{Reading, Readings};
use crate::records::{Management, MasterKeyState};
use crate::rpc::control::Outcome;
use crate::rpc::types::Timestamp;
use crate::rpc::types::ledger::{
    KeyReport, ReportAnswer, ReportProof, ReportReading, ReportSample, ReportStep, ReportWord,
};

impl ClusterControl {
    pub(super) fn report(&self, id: KeyId) -> Outcome<KeyReport> {
        let key = self.known_key(id)?;
        let life = self.life(id)?;
        let cluster = self.need_cluster()?;
        let dependants = self.records.headers_naming(id).map_err(of_record)?;
        let readings = match &life.proof {
            Some(proof) => self.readings(id, proof.number)?,
            None => Vec::new(),
        };
        Ok(KeyReport {
            cluster: cluster.uuid,
            cluster_name: cluster.name,
            written: Timestamp(self.now()),
            key: key_info(&key),
            state: state(key.state),
            states: life.steps.into_iter().map(step).collect(),
            dependants_now: dependants.iter().map(named).collect(),
            dependants_over_time: life.dependants.into_iter().map(sample).collect(),
            word: life.word.map(|word| ReportWord {
                time: Timestamp(word.at),
                by: word.by,
                is_forced: word.is_forced,
                dependants: word.dependants,
            }),
            proof: life.proof.map(|proof| ReportProof {
                time: Timestamp(proof.at),
                headers: proof.headers,
                key_in_force: proof.in_force.0,
                given_out_by: proof.agreed,
                readings: readings.into_iter().map(reading).collect(),
            }),
            answers: life.answers.into_iter().map(answer).collect(),
            copies_left: life
                .left_on
                .into_iter()
                .map(|left| format!("{} (ID {}), removed at {}", left.name, left.server, Timestamp(left.at)))
                .collect(),
            limits: limits(key.management, key.state),
        })
    }

    fn readings(&self, key: KeyId, proof: u32) -> Outcome<Vec<Reading>> {
        let mut parts: Vec<Readings> = self.records.table().find("key", &key.to_string()).map_err(of_record)?;
        parts.retain(|part| part.proof == proof);
        parts.sort_by_key(|part| part.part);
        Ok(parts.into_iter().flat_map(|part| part.readings).collect())
    }
}

fn step(step: crate::records::key_lives::Step) -> ReportStep {
    ReportStep { time: Timestamp(step.at), state: state(step.state), why: step.why, audit_head: step.audit }
}

fn sample(sample: crate::records::key_lives::Sample) -> ReportSample {
    ReportSample { time: Timestamp(sample.at), count: sample.count, names: sample.named }
}

fn reading(reading: Reading) -> ReportReading {
    ReportReading {
        header: reading.header,
        time: Timestamp(reading.at),
        keys: reading.keys.into_iter().map(|key| key.0).collect(),
        is_earlier: reading.is_earlier,
    }
}

fn answer(answer: crate::records::key_lives::Answer) -> ReportAnswer {
    ReportAnswer {
        time: Timestamp(answer.at),
        place: answer.place,
        request: answer.request,
        answer: answer.answer,
        is_done: answer.is_done,
    }
}

/// What the report does not say.
fn limits(management: Management, state: MasterKeyState) -> Vec<String> {
    let mut limits = vec![
        "Headers that this cluster never knew of, such as copies that were made of a volume's file by other means, are not \
         in it."
            .to_owned(),
        "A rekey changes the key that wraps data keys, not the data keys. Who had a data key has it still; only a \
         re-encryption changes that."
            .to_owned(),
    ];
    if state == MasterKeyState::Destroyed {
        limits.push(match management {
            Management::Internal => {
                "The key lay wrapped under the node's root key in files that were overwritten, replaced and synced. On flash \
                 memory, on file systems that copy on write, and in backups of them, old blocks may last; they are \
                 worth nothing without the root key."
            }
            Management::External(_) => {
                "That the bytes are gone is what the key servers answered; backups of a key server are its own matter."
            }
        }
        .to_owned());
    }
    limits
}
