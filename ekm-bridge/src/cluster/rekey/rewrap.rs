//! Wrapping every volume's key by the new master key.

use keywrap::keys::KeyId;

use super::step::{SUBJECT, failed};
use crate::cluster::control::ClusterControl;
use crate::cluster::errors::{of_host, of_record};
use crate::cluster::keys::Owned;
use crate::cluster::report::{FaultCode, new_fault};
use crate::cluster::run::in_parallel;
use crate::records::{self, Rekey, Severity};
use crate::rpc::control::Outcome;
use crate::rpc::{ApiError, ErrorName};

/// Volumes that a message names.
const NAMED: usize = 8;

impl ClusterControl {
    /// Rewraps what is not yet wrapped by the new key alone. Volumes that fail are left behind, and named.
    pub(super) fn rewrap_volumes(&self, rekey: &Rekey) -> Outcome<()> {
        let new = match rekey.new.map(|id| self.master_key(id)) {
            Some(Ok(key)) => key,
            // Only after a restart: until then it is in memory. Its server comes back, or somebody sees to it.
            Some(Err(error)) if is_silence(&error) => return Err(error),
            Some(Err(error)) => return self.leave_behind(rekey, &error),
            None => return Err(ApiError::new(ErrorName::AssertionFailure, "the rekey has no new key")),
        };
        let volumes = self.volume_records()?;
        let outcomes = in_parallel(self.config.parallel, &volumes, |volume| self.rewrap_one(volume, &new));
        let failures: Vec<(records::VolumeId, ApiError)> = volumes
            .iter()
            .zip(outcomes)
            .filter_map(|(volume, outcome)| outcome.err().map(|error| (volume.id, error)))
            .collect();
        if self.is_stopping() {
            // What was not done is done after the next start.
            return Err(stopping());
        }
        match remainder(&failures) {
            None => self.enter_decommission(rekey),
            Some(error) => self.leave_behind(rekey, &error),
        }
    }

    fn rewrap_one(&self, listed: &records::Volume, new: &Owned) -> Outcome<()> {
        if self.is_stopping() {
            return Err(stopping());
        }
        let _turn = self.turns.take(listed.uuid);
        let Some(volume) = self.records.table::<records::Volume>().get(listed.id).map_err(of_record)? else {
            return Ok(());
        };
        if volume.path.is_none() {
            // It is being made with the new key, or erased.
            return Ok(());
        }
        let ids = self.host.key_ids(volume.uuid).map_err(of_host)?;
        let old: Vec<KeyId> = ids.into_iter().filter(|id| *id != new.id).collect();
        old.into_iter().try_for_each(|id| {
            let old = self.master_key(id)?;
            self.host.rewrap(volume.uuid, old.wrapping(), new.wrapping()).map_err(of_host)
        })
    }

    /// Ends the rekey although volumes still depend on the old key. The new one stays in force, and the next rekey brings
    /// along what was left behind.
    fn leave_behind(&self, rekey: &Rekey, error: &ApiError) -> Outcome<()> {
        let fault = new_fault(FaultCode::RekeyIncomplete, SUBJECT, Severity::Error, error.message.clone());
        self.raise(&fault)?;
        self.end(rekey, &failed(error), "The rekey ended, and left volumes behind.")
    }
}

fn stopping() -> ApiError {
    ApiError::new(ErrorName::ApiNotPermitted, "the node is being stopped; the rekey goes on at the next start")
}

fn is_silence(error: &ApiError) -> bool {
    matches!(error.name, ErrorName::KmipConnectionFailed | ErrorName::KmipAuthenticationFailed)
}

/// What is left behind, as one error; `None` when nothing is.
fn remainder(failures: &[(records::VolumeId, ApiError)]) -> Option<ApiError> {
    let (_, first) = failures.first()?;
    let named: Vec<String> =
        failures.iter().take(NAMED).map(|(id, error)| format!("{id}: {}", error.message)).collect();
    let more = if failures.len() > NAMED { "; and more" } else { "" };
    let message = format!(
        "{} volumes still depend on the old master key, which is kept; rekey again when the cause is removed. Volume \
         {}{more}",
        failures.len(),
        named.join("; volume ")
    );
    Some(ApiError::new(first.name, message))
}
