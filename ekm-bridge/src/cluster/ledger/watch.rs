//! The watch over master keys: what key servers did to them, and how old they are.

use std::time::Duration;

use crate::cluster::control::ClusterControl;
use crate::cluster::errors::of_record;
use crate::cluster::report::{FaultCode, new_fault};
use crate::provider::external::KeyState;
use crate::records::{Management, MasterKeyRecord, MasterKeyState, NewFault, Severity};
use crate::rekey::rotation::{DAY, window};
use crate::rpc::control::Outcome;
use crate::time::UnixSeconds;

/// How often key servers are asked.
const WATCH: Duration = Duration::from_secs(30);

impl ClusterControl {
    /// Faults of keys that a key manager has ended although they are needed, and of keys that are too old; begins a rekey
    /// that is due.
    pub(in crate::cluster) fn watch_keys(&self) -> Outcome<()> {
        if !self.is_due(&self.next_key_watch, WATCH) {
            return Ok(());
        }
        let Some(cluster) = self.cluster()? else { return Ok(()) };
        let keys: Vec<MasterKeyRecord> = self.records.table().list().map_err(of_record)?;
        let mut faults = Vec::new();
        for key in keys.iter().filter(|key| key.provider().is_some()) {
            let is_in_force = cluster.encryption.master_key == Some(key.id);
            if is_in_force || self.is_needed(key)? {
                faults.extend(self.ended_by_others(key, is_in_force)?);
            }
        }
        self.make_faults(FaultCode::MasterKey, "master-key/", &faults)?;
        match keys.iter().find(|key| cluster.encryption.master_key == Some(key.id)) {
            Some(key) => self.rotate(key, cluster.encryption.rotation_days),
            None => Ok(()),
        }
    }

    fn is_needed(&self, key: &MasterKeyRecord) -> Outcome<bool> {
        Ok(key.state == MasterKeyState::ToDecommission
            && !self.records.headers_naming(key.id).map_err(of_record)?.is_empty())
    }

    /// The states of a key on servers that do not keep it in use.
    fn ended_by_others(&self, key: &MasterKeyRecord, is_in_force: bool) -> Outcome<Option<NewFault>> {
        let Management::External(provider) = key.management else { return Ok(None) };
        let states = self.provider(provider)?.states(key.id);
        let mut words = Vec::new();
        for (server, state) in &states {
            words.extend(match state {
                Some(KeyState::Active) => None,
                Some(KeyState::PreActive) => Some(format!("not active on {server}")),
                Some(KeyState::Revoked) => Some(format!("deactivated on {server}")),
                Some(KeyState::Compromised) => Some(format!("compromised on {server}")),
                Some(KeyState::Destroyed) => Some(format!("destroyed on {server}")),
                None => Some(format!("unknown to {server}")),
            });
        }
        if words.is_empty() {
            return Ok(None);
        }
        let is_alive = states.iter().any(|(_, state)| *state == Some(KeyState::Active));
        let severity = if is_alive { Severity::Error } else { Severity::Critical };
        let advice = if is_in_force {
            "Open volumes go on. Rekey now, `sear rekey --now`, and do not stop the node before that: volumes that are \
             open can be brought to a new key"
        } else {
            "Headers still depend on it; they are brought to the key in force while their volumes are open"
        };
        let details = format!("Master key {} is {}. {advice}.", key.id, words.join(", "));
        Ok(Some(new_fault(FaultCode::MasterKey, &format!("master-key/{}", key.id), severity, details)))
    }

    /// Replaces the key in force when it is old enough.
    fn rotate(&self, key: &MasterKeyRecord, internal_days: Option<u32>) -> Outcome<()> {
        const SUBJECT: &str = "rotation";
        let days = match key.management {
            Management::Internal => internal_days,
            Management::External(provider) => self.provider_record(provider)?.rotation_days,
        };
        let Some(days) = days else { return self.resolve(FaultCode::RotationOverdue, SUBJECT) };
        let now = self.trusted_now();
        let (due, overdue) = window(key.id, birth(key.created, self.now()), days);
        if now < overdue {
            self.resolve(FaultCode::RotationOverdue, SUBJECT)?;
        } else {
            let details = format!(
                "Master key {} was to be replaced after {days} days and is still in force; see the results of the last \
                 rekeys (ListAsyncResults).",
                key.id
            );
            self.raise(&new_fault(FaultCode::RotationOverdue, SUBJECT, Severity::Warning, details))?;
        }
        if now >= due && self.running_rekey()?.is_none() {
            tracing::info!(key = %key.id, days, "the master key is old enough to be replaced");
            self.begin_rekey(key.management)?;
        }
        Ok(())
    }
}

/// When a key was made. One from times to come was made before a clock was set back: nobody knows when, so it is old.
fn birth(created: UnixSeconds, now: UnixSeconds) -> UnixSeconds {
    if created.0 > now.0.saturating_add(DAY) { UnixSeconds(0) } else { created }
}
