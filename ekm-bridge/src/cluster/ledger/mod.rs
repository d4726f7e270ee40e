//! The ledger: every master key from first to last, who depends on it, and its end with proof.
//!
//! ```text
//! life::next ─▶ WaitForHeaders   how many, and which, is noted whenever it changes
//!            ─▶ Prove            every header read once more, every server asked for the key in force     prove
//!            ─▶ Revoke, Destroy  everywhere, each answer noted; the state moves when all have done it     end
//! ```
//! What a rekey leaves is ended right away or, by the thread of rekeys, whenever it becomes possible.

mod administer;
mod end;
mod prove;
mod report;
mod show;
mod watch;

use keywrap::keys::KeyId;
use serde_json::json;

pub(super) use end::Kept;

use super::control::ClusterControl;
use super::errors::of_record;
use crate::records::key_lives::{LeftCopy, Step};
use crate::records::{KeyLife, KeyServer, MasterKeyRecord, MasterKeyState, RecordError, Work};
use crate::rekey::machine::KeyChange;
use crate::rpc::control::Outcome;
use crate::rpc::{ApiError, ErrorName};
use crate::time::UnixSeconds;

/// Notes in the life of a key that it goes into a state, as part of the change that moves it.
pub(super) fn step_in(
    work: &mut Work<'_>,
    id: KeyId,
    state: MasterKeyState,
    why: &str,
    at: UnixSeconds,
) -> Result<(), RecordError> {
    let mut life = work.get::<KeyLife>(id)?.unwrap_or_else(|| KeyLife::new(id));
    life.steps.push(Step { at, state, why: why.to_owned(), audit: None });
    life.held_since = None;
    work.put(&life)
}

impl ClusterControl {
    pub(super) fn life(&self, id: KeyId) -> Outcome<KeyLife> {
        Ok(self.records.table().get(id).map_err(of_record)?.unwrap_or_else(|| KeyLife::new(id)))
    }

    /// Changes what is known of a key.
    fn note(&self, id: KeyId, change: impl Fn(&mut KeyLife)) -> Outcome<()> {
        let noted = self.records.transact(|work| {
            let before = work.get::<KeyLife>(id)?;
            let mut life = before.clone().unwrap_or_else(|| KeyLife::new(id));
            change(&mut life);
            if before.as_ref() == Some(&life) { Ok(()) } else { work.put(&life) }
        });
        noted.map_err(of_record)
    }

    /// A server leaves its provider: copies of the provider's keys may stay on it.
    pub(super) fn note_left_copies(&self, server: &KeyServer) -> Outcome<()> {
        let Some(provider) = server.provider else { return Ok(()) };
        let keys: Vec<MasterKeyRecord> = self.records.table().list().map_err(of_record)?;
        let left = LeftCopy { at: self.now(), server: server.id, name: server.name.clone() };
        for key in keys.iter().filter(|key| key.provider() == Some(provider) && key.is_outstanding()) {
            self.note(key.id, |life| {
                life.left_on.retain(|known| known.server != left.server);
                life.left_on.push(left.clone());
            })?;
        }
        Ok(())
    }

    /// A step of a rekey changed this key.
    pub(super) fn witness_change(&self, change: KeyChange) {
        match change {
            KeyChange::InForce(id) | KeyChange::Retired(id) | KeyChange::Unused(id) | KeyChange::Restored(id) => {
                self.witness(id);
            }
        }
    }

    /// Has the last step of a key written to the audit log. Without an entry it stays what it is; the log of the process
    /// tells why.
    pub(super) fn witness(&self, id: KeyId) {
        let Some(journal) = &self.journal else { return };
        let Ok(life) = self.life(id) else { return };
        let Some(step) = life.steps.last() else { return };
        let details = json!({ "keyID": id.0, "state": step.state, "why": step.why });
        let head = journal.note(step.at, "MasterKeyState", &details);
        let number = life.steps.len();
        let noted = self.note(id, |life| {
            if let Some(step) = life.steps.get_mut(number - 1) {
                step.audit.clone_from(&head);
            }
        });
        if let Err(error) = noted {
            tracing::warn!(key = %id, "the audit log has an entry that the ledger does not refer to: {error}");
        }
    }

    /// Why a key that was destroyed cannot be had.
    pub(super) fn destroyed(&self, id: KeyId) -> Outcome<ApiError> {
        let life = self.life(id)?;
        let ended = life.steps.iter().rev().find(|step| step.state == MasterKeyState::Destroyed);
        let at = ended.map_or_else(String::new, |step| format!(" at {}", crate::rpc::types::Timestamp(step.at)));
        let by = match life.word.as_ref().filter(|word| word.is_forced) {
            Some(word) => format!(" by order of {}, although {} headers depended on it", word.by, word.dependants),
            None => ", after it was proven that nothing known depended on it".to_owned(),
        };
        let message = format!("master key {id} was destroyed{at}{by}; what only it opens cannot be opened any more");
        Ok(ApiError::new(ErrorName::KeyUnavailable, message))
    }
}
