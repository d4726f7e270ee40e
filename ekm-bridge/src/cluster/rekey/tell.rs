//! Making a step of a rekey durable: the rekey, its keys, its result and its event in one transaction.

use serde_json::Value;

use super::begin::is_wrapped;
use crate::cluster::control::{ClusterControl, write};
use crate::cluster::keys::key_info;
use crate::cluster::report::{ENCRYPTION_EVENT, event, ids};
use crate::cluster::whole::Failed;
use crate::records::{
    AsyncResult, AsyncState, EventLog, Header, Management, MasterKeyRecord, Only, Rekey, RekeyPhase, Work,
};
use crate::rekey::machine::{self, Change, Ending, Input, Next, Progress, Refused};
use crate::rpc::control::Outcome;
use crate::rpc::types::sear::{RekeyInfo, RekeyState};
use crate::rpc::{ApiError, ErrorName};

/// Headers that a result names.
const NAMED: usize = 64;

impl ClusterControl {
    /// Tells the rekey what happened. `made` is the record of the new key where the input names one, `error` why there is
    /// none.
    pub(super) fn tell(
        &self,
        rekey: &Rekey,
        input: Input,
        made: Option<&MasterKeyRecord>,
        error: Option<&ApiError>,
    ) -> Outcome<()> {
        // Whoever wraps something holds this for reading, so nobody wraps while another key comes into force.
        let _nobody_wraps = write(&self.in_force);
        let told = self.records.transact(|work| {
            let now = work.get::<Rekey>(Only)?.filter(|now| now.handle == rekey.handle);
            let Some(now) = now else { return Err(over().into()) };
            let input = match input {
                Input::Cancel { is_stuck, .. } => Input::Cancel { is_wrapped: is_wrapped(work, &now)?, is_stuck },
                other => other,
            };
            let Change { next, keys } = machine::step(Progress::of(&now), input).map_err(refused)?;
            for change in &keys {
                self.change_key(work, *change, made)?;
            }
            let next = match next {
                Next::Goes(progress) => {
                    let rekey = progress.recorded(&now);
                    work.put(&rekey)?;
                    self.show_progress(work, &rekey)?;
                    None
                }
                Next::Ends(ending) => {
                    work.delete::<Rekey>(Only)?;
                    self.show_end(work, &now, ending, error)?;
                    Some(ending)
                }
            };
            Ok::<_, Failed>((keys, next))
        });
        let (keys, ending) = told?;
        drop(_nobody_wraps);
        for change in keys {
            self.witness_change(change);
        }
        if let Some(ending) = ending {
            tracing::info!(handle = rekey.handle.0, ?ending, "the rekey is over");
        }
        Ok(())
    }

    fn show_progress(&self, work: &mut Work<'_>, rekey: &Rekey) -> Result<(), Failed> {
        let state = match rekey.phase {
            RekeyPhase::CreateNewMasterKey => RekeyState::CreateNewMasterKey,
            RekeyPhase::RewrapDataEncryptionKeys => RekeyState::RewrapDataEncryptionKeys,
            RekeyPhase::DecommissionOldMasterKey => RekeyState::DecommissionOldMasterKey,
        };
        let details = details(work, rekey, state, &[])?;
        self.set_result(work, rekey, AsyncState::Running(details))
    }

    fn show_end(
        &self,
        work: &mut Work<'_>,
        rekey: &Rekey,
        ending: Ending,
        error: Option<&ApiError>,
    ) -> Result<(), Failed> {
        let (state, message) = match ending {
            Ending::Done => {
                let left = match rekey.new {
                    Some(new) => work.list::<Header>()?.into_iter().filter(|header| !header.is_on(new)).collect(),
                    None => Vec::new(),
                };
                let names: Vec<String> = left.iter().take(NAMED).map(Header::name).collect();
                let words = match left.len() {
                    0 => "The rekey is done.".to_owned(),
                    count => format!("The rekey is done; {count} headers are left behind and follow when they can."),
                };
                (AsyncState::Succeeded(details(work, rekey, RekeyState::Ready, &names)?), words)
            }
            Ending::NoKey => {
                let none = ApiError::new(ErrorName::KeyUnavailable, "there is no new master key");
                (failed(error.unwrap_or(&none)), "The rekey failed: there is no new master key.".to_owned())
            }
            Ending::Cancelled => {
                let error =
                    ApiError::new(ErrorName::RekeyCancelled, "the rekey was called off; the old key is in force");
                (failed(&error), "The rekey was called off.".to_owned())
            }
        };
        self.set_result(work, rekey, state)?;
        let what = event(ENCRYPTION_EVENT, &message, ids([]));
        EventLog::new(&self.records).append_in(work, &what, self.now())?;
        Ok(())
    }

    fn set_result(&self, work: &mut Work<'_>, rekey: &Rekey, state: AsyncState) -> Result<(), Failed> {
        let now = self.now();
        // A clock may have been set back: a result is not told to be older than it was.
        let tell = |result: &mut AsyncResult| (result.state, result.updated) = (state, now.max(result.updated));
        work.update::<AsyncResult>(rekey.handle, tell)?;
        Ok(())
    }
}

fn details(work: &mut Work<'_>, rekey: &Rekey, state: RekeyState, left: &[String]) -> Result<Value, Failed> {
    let old = work.need::<MasterKeyRecord>(rekey.old)?;
    let new = rekey.new.map(|id| work.need::<MasterKeyRecord>(id)).transpose()?;
    Ok(describe(&old, new.as_ref(), rekey.to, state, left))
}

/// `RekeyInfo` as JSON.
pub(super) fn describe(
    old: &MasterKeyRecord,
    new: Option<&MasterKeyRecord>,
    to: Management,
    state: RekeyState,
    left: &[String],
) -> Value {
    let info = RekeyInfo {
        key_to_decommission: Some(key_info(old)),
        new_key: new.map(key_info),
        operation: operation(old.management, to),
        state,
        left_behind: left.to_vec(),
    };
    serde_json::to_value(info).unwrap_or(Value::Null)
}

/// What a rekey does, for people. The first wording is public, the others are ours.
pub(super) fn operation(from: Management, to: Management) -> String {
    let place = |management| match management {
        Management::Internal => "Internal Key Management".to_owned(),
        Management::External(provider) => format!("External Key Management with keyProviderID={provider}"),
    };
    if from == to {
        return format!("Rekeying Master Key. Master Key management stays with {}", place(to));
    }
    let (from, to) = (place(from), place(to));
    format!("Rekeying Master Key. Master Key management being transferred from {from} to {to}")
}

fn failed(error: &ApiError) -> AsyncState {
    AsyncState::Failed { name: error.name.as_str().to_owned(), message: error.message.clone() }
}

fn over() -> ApiError {
    ApiError::new(ErrorName::DbNoSuchPath, "the rekey is over")
}

fn refused(refused: Refused) -> ApiError {
    let name = match refused {
        Refused::TooLate => ErrorName::RekeyInProgress,
        Refused::OutOfTurn(_) => ErrorName::AssertionFailure,
    };
    ApiError::new(name, refused.to_string()).caused_by(refused)
}
