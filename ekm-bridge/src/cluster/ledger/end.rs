//! Ending old keys: what [`life::next`] says, carried out. Every step may be done again.

use std::time::Duration;

use keywrap::keys::KeyId;
use serde_json::json;

use super::step_in;
use crate::cluster::control::{ClusterControl, Decommission, lock};
use crate::cluster::errors::{of_provider, of_record};
use crate::cluster::report::{ENCRYPTION_EVENT, event, ids};
use crate::cluster::whole::Failed;
use crate::provider::{EndAnswer, EndOutcome, ProviderError};
use crate::records::key_lives::{Answer, Word};
use crate::records::{self, EventLog, KeyLife, KeyManagement, Management, MasterKeyRecord, MasterKeyState, Only};
use crate::rekey::life::{self, Facts, Next};
use crate::rekey::machine::Progress;
use crate::rpc::control::Outcome;
use crate::rpc::{ApiError, ErrorName};
use crate::time::UnixSeconds;

/// What became of an old key for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cluster) enum Kept {
    /// Nothing is left to do.
    Ended,
    /// It is kept, until something changes.
    Waits,
}

impl ClusterControl {
    /// Ends every old key that may end by now. Not while a rekey runs: that looks at the key that it replaced.
    pub(in crate::cluster) fn tend_ledger(&self) -> Outcome<()> {
        if self.cluster()?.is_none() || self.running_rekey()?.is_some() {
            return Ok(());
        }
        let keys: Vec<MasterKeyRecord> = self.records.table().list().map_err(of_record)?;
        let is_old =
            |key: &&MasterKeyRecord| matches!(key.state, MasterKeyState::ToDecommission | MasterKeyState::Revoked);
        for key in keys.iter().filter(is_old) {
            if self.is_stopping() {
                break;
            }
            if let Err(error) = self.end_key(key.id) {
                tracing::warn!(key = %key.id, "an old master key is not ended yet: {error}");
            }
        }
        Ok(())
    }

    /// Does with a key whatever may be done by now.
    ///
    /// # Errors
    /// When the store fails, or nobody could be asked.
    pub(in crate::cluster) fn end_key(&self, id: KeyId) -> Outcome<Kept> {
        let _alone = lock(&self.ending);
        loop {
            let key = self.key_record(id)?;
            let life = self.dated_life(id)?;
            let dependants = self.records.headers_naming(id).map_err(of_record)?;
            // What was named may be lost, and nothing that came to depend on the key since.
            let is_named = |word: &Word| word.is_forced && dependants.len() <= word.dependants;
            let is_forced = life.word.as_ref().is_some_and(is_named);
            let facts = Facts {
                state: key.state,
                is_internal: key.management == Management::Internal,
                dependants: dependants.len(),
                is_due: self.is_allowed(&life),
                is_proven: life.proof.is_some(),
                is_forced,
                may_return: self.running_rekey()?.is_some_and(|rekey| Progress::of(&rekey).may_restore(id)),
            };
            let names: Vec<String> = dependants.iter().map(records::Header::name).collect();
            let now = self.now();
            self.note(id, |life| life.sample(now, &names))?;
            let goes_on = match life::next(&facts) {
                Next::Nothing => return Ok(Kept::Ended),
                Next::WaitForRekey | Next::WaitForPolicy => false,
                Next::WaitForHeaders => {
                    // A header came back that names it: what was proven no longer holds.
                    self.note(id, |life| life.proof = None)?;
                    false
                }
                Next::Prove => self.prove(&key)?,
                Next::Revoke => self.revoke_key(&key)?,
                Next::Destroy => self.destroy_key(&key)?,
            };
            if !goes_on {
                return Ok(Kept::Waits);
            }
        }
    }

    /// What is known of a key. One that will have been replaced only in times to come was replaced by a clock that has been
    /// set back since: its hold begins now.
    fn dated_life(&self, id: KeyId) -> Outcome<KeyLife> {
        let (life, now) = (self.life(id)?, self.now());
        let is_dated = replaced(&life).is_none_or(|at| at <= now) || life.held_since.is_some_and(|since| since <= now);
        if is_dated {
            return Ok(life);
        }
        self.note(id, |life| life.held_since = Some(now))?;
        self.life(id)
    }

    fn is_allowed(&self, life: &KeyLife) -> bool {
        let now = self.now();
        let began = replaced(life).filter(|at| *at <= now).or(life.held_since);
        let held = began.map_or(0, |began| self.trusted_now().0.saturating_sub(began.0));
        life.word.is_some()
            || match self.config.decommission {
                Decommission::AtOnce => true,
                Decommission::After(hold) => Duration::from_secs(held) >= hold,
                Decommission::ByWord => false,
            }
    }

    fn revoke_key(&self, key: &MasterKeyRecord) -> Outcome<bool> {
        let answers = self.manager(key.management)?.revoke(key.id);
        self.settle(key, "revoke", answers, MasterKeyState::Revoked)
    }

    fn destroy_key(&self, key: &MasterKeyRecord) -> Outcome<bool> {
        let request = if key.management == Management::Internal { "wipe" } else { "destroy" };
        let answers = self.manager(key.management)?.destroy(key.id);
        self.settle(key, request, answers, MasterKeyState::Destroyed)
    }

    /// Notes what every place answered, and moves the key on when all have done it. Whether they have.
    fn settle(
        &self,
        key: &MasterKeyRecord,
        request: &str,
        answers: Result<Vec<EndAnswer>, ProviderError>,
        next: MasterKeyState,
    ) -> Outcome<bool> {
        let answers = answers.map_err(of_provider)?;
        let is_settled = answers.iter().all(EndAnswer::is_settled);
        let noted: Vec<Answer> = answers.iter().map(|answer| self.answer(request, answer)).collect();
        if let Some(journal) = &self.journal {
            let places: Vec<_> =
                noted.iter().map(|answer| json!({ "place": answer.place, "answer": answer.answer })).collect();
            let details = json!({ "keyID": key.id.0, "request": request, "places": places });
            journal.note(self.now(), "MasterKeyEnd", &details);
        }
        if !is_settled {
            self.note(key.id, |life| noted.iter().for_each(|answer| life.answered(answer.clone())))?;
            return Ok(false);
        }
        self.move_on(key, next, &noted)?;
        self.witness(key.id);
        Ok(true)
    }

    fn move_on(&self, key: &MasterKeyRecord, next: MasterKeyState, answers: &[Answer]) -> Outcome<()> {
        let now = self.now();
        let (why, words) = match next {
            MasterKeyState::Revoked => ("every key server has revoked it", "was revoked"),
            _ => ("every place that held it has destroyed it", "was destroyed"),
        };
        let moved = self.records.transact(|work| {
            if work.need::<records::Cluster>(Only)?.encryption.master_key == Some(key.id) {
                let message = format!("master key {} is in force", key.id);
                return Err(ApiError::new(ErrorName::AssertionFailure, message).into());
            }
            KeyManagement::move_key_in(work, key.id, next)?;
            step_in(work, key.id, next, why, now)?;
            work.update::<KeyLife>(key.id, |life| answers.iter().for_each(|answer| life.answered(answer.clone())))?;
            let what = event(ENCRYPTION_EVENT, &format!("Master key {} {words}.", key.id), ids([]));
            EventLog::new(&self.records).append_in(work, &what, now)?;
            Ok::<_, Failed>(())
        });
        Ok(moved?)
    }

    fn answer(&self, request: &str, answer: &EndAnswer) -> Answer {
        let (words, is_done) = match &answer.outcome {
            EndOutcome::Done => ("done".to_owned(), true),
            EndOutcome::Failed(why) => (why.clone(), false),
            EndOutcome::OutOfUse(why) => (format!("not in use any more, and keeps what it has: {why}"), false),
        };
        Answer { at: self.now(), place: answer.place.clone(), request: request.into(), answer: words, is_done }
    }
}

/// When the key was replaced.
fn replaced(life: &KeyLife) -> Option<UnixSeconds> {
    life.steps.iter().rev().find(|step| step.state == MasterKeyState::ToDecommission).map(|step| step.at)
}
