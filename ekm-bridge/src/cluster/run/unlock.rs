//! Opening what should be open.

use std::collections::BTreeMap;
use std::time::Duration;

use keywrap::keys::KeyId;

use super::in_parallel;
use crate::cluster::control::{ClusterControl, lock};
use crate::cluster::errors::{of_host, of_record};
use crate::cluster::keys::Owned;
use crate::cluster::report::{FaultCode, new_fault};
use crate::cluster::volumes::offer;
use crate::records::{self, Management, NewFault, Severity};
use crate::rpc::ApiError;
use crate::rpc::control::Outcome;

/// The pause after the first failure; it doubles up to [`crate::cluster::Config::retry`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The pause while everything is open.
const CALM: Duration = Duration::from_secs(5);
/// How long a key server that does not answer is waited for. The next try is soon, and the question stays open, so that a
/// server that is only slow is not asked in vain.
const PATIENCE: Duration = Duration::from_secs(1);
/// Volumes that a fault names.
const NAMED: usize = 8;
const SUBJECT: &str = "cluster";

/// When to try again.
#[derive(Clone, Copy, Default)]
pub(in crate::cluster) struct Retry {
    next: Duration,
    pause: Duration,
}

/// A volume that should be open, and the keys that its header names.
struct Locked {
    volume: records::Volume,
    keys: Vec<KeyId>,
}

impl ClusterControl {
    /// Opens every volume that should be open and is not; how many are still locked. What stands in the way becomes
    /// faults, and what no longer does is resolved.
    pub(in crate::cluster) fn unlock(&self) -> Outcome<usize> {
        let locked = self.locked_volumes()?;
        let (locked, mut failures) = self.read_headers(locked);
        let (keys, refused) = self.fetch_keys(&locked);
        let outcomes = in_parallel(self.config.parallel, &locked, |locked| self.unlock_one(locked, &keys, &refused));
        failures.extend(
            locked
                .iter()
                .zip(outcomes)
                .filter_map(|(locked, outcome)| outcome.err().map(|error| (locked.volume.id, error.message))),
        );
        self.report_providers(&refused)?;
        self.report_volumes(&failures)?;
        self.plan_retry(failures.is_empty());
        Ok(failures.len())
    }

    /// Whether it is time to try again.
    pub(super) fn is_retry_due(&self) -> bool {
        lock(&self.retry).next <= self.clock.0.elapsed()
    }

    fn plan_retry(&self, is_done: bool) {
        let mut retry = lock(&self.retry);
        retry.pause = if is_done { Duration::ZERO } else { (retry.pause * 2).max(FIRST_PAUSE).min(self.config.retry) };
        retry.next = self.clock.0.elapsed() + if is_done { CALM } else { retry.pause };
    }

    fn locked_volumes(&self) -> Outcome<Vec<records::Volume>> {
        let mut volumes = self.volume_records()?;
        volumes.retain(|volume| volume.path.is_some() && offer(volume).is_some() && !self.host.is_open(volume.uuid));
        Ok(volumes)
    }

    fn read_headers(&self, volumes: Vec<records::Volume>) -> (Vec<Locked>, Vec<(records::VolumeId, String)>) {
        let headers = in_parallel(self.config.parallel, &volumes, |volume| self.host.key_ids(volume.uuid));
        let (mut locked, mut failures) = (Vec::new(), Vec::new());
        for (volume, header) in volumes.into_iter().zip(headers) {
            match header {
                Ok(keys) => locked.push(Locked { volume, keys }),
                Err(error) => failures.push((volume.id, of_host(error).message)),
            }
        }
        (locked, failures)
    }

    /// Each key once: a key server that is away is asked for it once and not for every volume, and one that hangs holds
    /// nobody up.
    fn fetch_keys(&self, locked: &[Locked]) -> (BTreeMap<KeyId, Owned>, BTreeMap<KeyId, ApiError>) {
        let (mut keys, mut refused) = (BTreeMap::new(), BTreeMap::new());
        let mut wanted: Vec<KeyId> = locked.iter().flat_map(|locked| locked.keys.iter().copied()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let fetch = |id: &KeyId| self.master_key_within(*id, PATIENCE);
        for (id, outcome) in wanted.iter().zip(in_parallel(self.config.parallel, &wanted, fetch)) {
            match outcome {
                Ok(key) => drop(keys.insert(*id, key)),
                Err(error) => drop(refused.insert(*id, error)),
            }
        }
        (keys, refused)
    }

    fn unlock_one(
        &self,
        locked: &Locked,
        keys: &BTreeMap<KeyId, Owned>,
        refused: &BTreeMap<KeyId, ApiError>,
    ) -> Outcome<()> {
        let _turn = self.turns.take(locked.volume.uuid);
        let now = self.records.table::<records::Volume>().get(locked.volume.id).map_err(of_record)?;
        // Somebody may have opened, deleted or locked it meanwhile.
        let Some(volume) = now.filter(|now| offer(now).is_some() && !self.host.is_open(now.uuid)) else {
            return Ok(());
        };
        if let Some(key) = locked.keys.iter().find_map(|id| keys.get(id)) {
            return self.open(&volume, key);
        }
        let why = locked.keys.iter().find_map(|id| refused.get(id)).map(|error| error.message.clone());
        let message = why.unwrap_or_else(|| format!("the header of volume {} names no master key", volume.id));
        Err(ApiError::new(crate::rpc::ErrorName::KeyUnavailable, message))
    }

    /// One fault for each provider that does not give out a key. Which server failed, and how, is in its words.
    fn report_providers(&self, refused: &BTreeMap<KeyId, ApiError>) -> Outcome<()> {
        let mut faults: BTreeMap<String, NewFault> = BTreeMap::new();
        for (id, error) in refused {
            let Management::External(provider) = self.key_record(*id)?.management else { continue };
            let (subject, details) = (format!("provider/{provider}"), error.message.clone());
            let fault = new_fault(FaultCode::KmipServer, &subject, Severity::Critical, details);
            faults.insert(subject, fault);
        }
        let faults: Vec<NewFault> = faults.into_values().collect();
        self.make_faults(FaultCode::KmipServer, "provider/", &faults)
    }

    fn report_volumes(&self, failures: &[(records::VolumeId, String)]) -> Outcome<()> {
        if failures.is_empty() {
            return self.resolve(FaultCode::VolumesOffline, SUBJECT);
        }
        let named: Vec<String> = failures.iter().take(NAMED).map(|(id, why)| format!("volume {id}: {why}")).collect();
        let more = if failures.len() > NAMED { "; and more" } else { "" };
        let details = format!("{} volumes are locked. {}{more}", failures.len(), named.join("; "));
        self.raise(&new_fault(FaultCode::VolumesOffline, SUBJECT, Severity::Critical, details))
    }
}
