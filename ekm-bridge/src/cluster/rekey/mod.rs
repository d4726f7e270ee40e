//! Replacing the master key: the rules of [`crate::rekey::machine`], made durable and carried out.
//!
//! ```text
//! begin ─▶ CreateNewMasterKey ─▶ RewrapDataEncryptionKeys ─▶ DecommissionOldMasterKey ─▶ over
//!             no key: failed,        every header, several at        the ledger looks at the old key;
//!             the old one stays      a time; one that fails stops    what waits there goes on
//!             in force               no other, and is named          after the rekey
//! ```
//! Each phase is durable before anything of it happens, and a phase may be done again. The new key is in force from the
//! moment it is recorded, so volumes that are made during the rekey need no rewrap.

mod apply;
mod begin;
mod stuck;
mod tell;

pub(super) use stuck::{Waiting, out_of_reach};

use super::control::{ClusterControl, lock};
use super::errors::of_record;
use super::headers::Left;
use super::ledger::Kept;
use super::report::{FaultCode, new_fault};
use crate::records::{Header, NewFault, Only, Rekey, RekeyPhase, Severity};
use crate::rekey::machine::Input;
use crate::rpc::control::Outcome;
use crate::rpc::{ApiError, ErrorName};

/// The subject of the fault of a rekey that left volumes behind.
pub(super) const SUBJECT: &str = "rekey";

/// Headers that a message names.
const NAMED: usize = 8;

impl ClusterControl {
    /// Drives the rekey that is recorded, if one is, to its end. It may be called again after any failure.
    ///
    /// # Errors
    /// When the store fails, or the new key is out of reach after a restart; the rekey then goes on at the next call, for
    /// some time. That a key or a volume fails otherwise is no error here: it is in the asynchronous result.
    pub fn drive_rekey(&self) -> Outcome<()> {
        let _alone = lock(&self.rekeying);
        while let Some(rekey) = self.running_rekey()? {
            let done = match rekey.phase {
                RekeyPhase::CreateNewMasterKey => self.create_new_key(&rekey),
                RekeyPhase::RewrapDataEncryptionKeys => self.rewrap_headers(&rekey),
                RekeyPhase::DecommissionOldMasterKey => self.hand_over(&rekey),
            };
            if let Err(error) = done
                // Unless it was called off meanwhile.
                && self.running_rekey()?.is_some_and(|now| now.handle == rekey.handle)
            {
                return Err(error);
            }
        }
        Ok(())
    }

    pub(super) fn running_rekey(&self) -> Outcome<Option<Rekey>> {
        self.records.table::<Rekey>().get(Only).map_err(of_record)
    }

    /// Makes the key and puts it in force. Without one the rekey is over and the old key stays in force.
    fn create_new_key(&self, rekey: &Rekey) -> Outcome<()> {
        let made = if rekey.is_cancelled {
            self.made_key(rekey.to, rekey.order)
        } else {
            self.make_key(rekey.to, rekey.order).map(Some)
        };
        match made {
            Ok(Some(key)) => self.tell(rekey, Input::KeyMade(key.id), Some(&key), None),
            Ok(None) => self.tell(rekey, Input::NoKey, None, None),
            // The key is found again by the next try.
            Err(error) if is_of_store(&error) => Err(error),
            Err(error) => {
                tracing::warn!("the rekey has no new key: {error}");
                self.tell(rekey, Input::NoKey, None, Some(&error))
            }
        }
    }

    /// Brings every header to the new key. Those that fail are left behind, and named.
    fn rewrap_headers(&self, rekey: &Rekey) -> Outcome<()> {
        let id = rekey.new.ok_or_else(|| ApiError::new(ErrorName::AssertionFailure, "the rekey has no new key"))?;
        let behind = |header: &Header| !header.is_on(id);
        let behind: Vec<Header> = self.header_records()?.into_iter().filter(behind).collect();
        let fault = match self.master_key(id) {
            Ok(new) => remainder(&self.sweep(&behind, &new)?),
            Err(error) if is_of_store(&error) => return Err(error),
            Err(error) if is_silence(&error) => return self.wait_for_key(rekey, id, error),
            Err(error) => Some(lost(&error)),
        };
        self.waits_no_longer()?;
        match fault {
            Some(fault) => self.raise(&fault)?,
            None => self.resolve(FaultCode::RekeyIncomplete, SUBJECT)?,
        }
        self.tell(rekey, Input::Moved, None, None)
    }

    /// The ledger does with the old key what it may by now; the rest is done when the rekey is long over.
    fn hand_over(&self, rekey: &Rekey) -> Outcome<()> {
        match self.end_key(rekey.old) {
            Ok(Kept::Ended | Kept::Waits) => {}
            Err(error) if is_of_store(&error) => return Err(error),
            Err(error) => tracing::warn!(key = %rekey.old, "the old master key is not ended yet: {error}"),
        }
        self.tell(rekey, Input::Ended, None, None)
    }
}

/// What is left behind, as a fault; `None` when nothing is.
pub(super) fn remainder(left: &[Left]) -> Option<NewFault> {
    if left.is_empty() {
        return None;
    }
    let named: Vec<String> =
        left.iter().take(NAMED).map(|left| format!("{}: {}", left.header.name(), left.error.message)).collect();
    let more = if left.len() > NAMED { "; and more" } else { "" };
    let details = format!(
        "{} headers still depend on an old master key, which is kept for them; they follow by themselves when the cause is \
         removed. {}{more}",
        left.len(),
        named.join("; ")
    );
    Some(new_fault(FaultCode::RekeyIncomplete, SUBJECT, Severity::Error, details))
}

/// The new key itself is gone: nothing can be wrapped by it.
fn lost(error: &ApiError) -> NewFault {
    let details = format!("The new master key cannot be had, rekey again: {}", error.message);
    new_fault(FaultCode::RekeyIncomplete, SUBJECT, Severity::Critical, details)
}

/// Whether nobody who could give out a key has answered. It will come back.
pub(super) fn is_silence(error: &ApiError) -> bool {
    matches!(error.name, ErrorName::KmipConnectionFailed | ErrorName::KmipAuthenticationFailed)
}

fn is_of_store(error: &ApiError) -> bool {
    matches!(error.name, ErrorName::DbConnectionLoss | ErrorName::DbVersionMismatch)
}
