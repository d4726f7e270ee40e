//! A rekey whose new key is out of reach.
//!
//! The key is in memory from the moment it is made, so only a process that was started since can be without it. It is asked
//! for again and again; a fault tells which key server it waits for, and since when. Volumes that the new key has wrapped
//! need it, the others need the old one, so neither can be given up. What can be given up is the waiting: the rekey ends with
//! what it has done, when an administrator calls it off or after [`PATIENCE`]. Both keys stay as long as anything needs
//! them, the rest follows when the key is back, and another rekey may begin.

use std::time::Duration;

use keywrap::keys::KeyId;

use super::{NAMED, SUBJECT};
use crate::cluster::control::{ClusterControl, lock};
use crate::cluster::errors::of_record;
use crate::cluster::report::{FaultCode, new_fault};
use crate::records::{AsyncHandle, NewFault, Rekey, Severity};
use crate::rekey::machine::Input;
use crate::rpc::ApiError;
use crate::rpc::control::Outcome;
use crate::rpc::types::Timestamp;
use crate::time::UnixSeconds;

/// How long a rekey waits for its new key before it ends with what it has done.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// What a rekey waits for.
#[derive(Clone)]
pub(in crate::cluster) struct Waiting {
    handle: AsyncHandle,
    key: KeyId,
    since: UnixSeconds,
    gives_up: Duration,
    why: String,
}

impl ClusterControl {
    /// The new key is not to be had: waits for it, or no longer.
    pub(super) fn wait_for_key(&self, rekey: &Rekey, key: KeyId, error: ApiError) -> Outcome<()> {
        let (waiting, now) = (self.note_waiting(rekey, key, &error), self.clock.0.elapsed());
        if now < waiting.gives_up {
            self.raise(&self.waiting_fault(&waiting)?)?;
            return Err(error);
        }
        tracing::warn!(handle = rekey.handle.0, %key, "the rekey no longer waits for its new key");
        self.raise(&out_of_reach(key, &error.message))?;
        self.tell(rekey, Input::Moved, None, None)?;
        self.waits_no_longer()
    }

    /// It has its key, or is over.
    pub(super) fn waits_no_longer(&self) -> Outcome<()> {
        *lock(&self.waiting) = None;
        self.resolve(FaultCode::RekeyWaits, SUBJECT)
    }

    /// What this rekey waits for, in a sentence; `None` when it does not.
    pub(super) fn waits_for_key(&self, handle: AsyncHandle) -> Option<String> {
        let waiting = lock(&self.waiting).clone().filter(|waiting| waiting.handle == handle)?;
        let Waiting { key, since, why, .. } = waiting;
        Some(format!("It has been waiting for its new master key {key} since {}: {why}", Timestamp(since)))
    }

    fn note_waiting(&self, rekey: &Rekey, key: KeyId, error: &ApiError) -> Waiting {
        let (handle, why) = (rekey.handle, error.message.clone());
        let mut noted = lock(&self.waiting);
        let known = noted.take().filter(|known| known.handle == handle && known.key == key);
        let waiting = match known {
            Some(known) => Waiting { why, ..known },
            None => {
                let (since, gives_up) = (self.now(), self.clock.0.elapsed() + PATIENCE);
                Waiting { handle, key, since, gives_up, why }
            }
        };
        *noted = Some(waiting.clone());
        waiting
    }

    fn waiting_fault(&self, waiting: &Waiting) -> Outcome<NewFault> {
        let headers = self.records.headers_naming(waiting.key).map_err(of_record)?;
        let names: Vec<String> = headers.iter().take(NAMED).map(crate::records::Header::name).collect();
        let more = if headers.len() > NAMED { ", and more" } else { "" };
        let details = format!(
            "The rekey with asyncHandle {} has been waiting for its new master key {} since {}: {}. {} headers may be \
             wrapped by that key already: {}{more}. It goes on when the key is to be had, and ends with what it has done \
             after {} minutes, or when it is called off (`sear rekey --cancel`). Both keys are kept either way.",
            waiting.handle.0,
            waiting.key,
            Timestamp(waiting.since),
            waiting.why,
            headers.len(),
            names.join(", "),
            PATIENCE.as_secs() / 60
        );
        Ok(new_fault(FaultCode::RekeyWaits, SUBJECT, Severity::Error, details))
    }
}

/// The rekey is over, and its key still out of reach.
pub(in crate::cluster) fn out_of_reach(key: KeyId, why: &str) -> NewFault {
    let details = format!(
        "Master key {key}, which is in force, cannot be had: {why}. Nothing can be wrapped by it, and no volume be made. The \
         rest follows by itself when it is back; or rekey to key servers that answer (`sear rekey --now`): volumes that are \
         open can be brought along."
    );
    new_fault(FaultCode::RekeyIncomplete, SUBJECT, Severity::Critical, details)
}
