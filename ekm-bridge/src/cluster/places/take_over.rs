//! Volumes and master keys that the node had before its cluster: made by `sear up` and `sear volume`, known to the
//! registry.
//!
//! ```text
//! registry ─▶ each unknown volume: volume and header record, one transaction ─▶ then each unknown internal key: the ledger
//! ```
//! Volumes come first: a key that is in the ledger has its dependants on record. A start may end anywhere between; the next
//! one goes on. The registry keeps its record, for commands without a daemon, until the volume is purged.

use std::collections::BTreeSet;

use keywrap::keys::KeyId;

use super::create::FIRST_ACCOUNT;
use super::settle::Arrival;
use crate::cluster::control::ClusterControl;
use crate::cluster::errors::{of_provider, of_record};
use crate::cluster::ledger::step_in;
use crate::cluster::whole::Failed;
use crate::provider::{KeyInfo, KeyProvider};
use crate::records::{
    self, Header, KeyManagement, Management, MasterKeyRecord, MasterKeyState, Only, Rekey, Site, VolumeRecord,
};
use crate::rpc::control::Outcome;

/// Characters of a volume's name.
const NAME_MAX: usize = 64;

impl ClusterControl {
    /// Takes over what the cluster does not know yet. Without software encryption there is no key to bring it to.
    pub(in crate::cluster) fn take_over(&self) -> Outcome<()> {
        if self.need_cluster()?.encryption.master_key.is_none() {
            return Ok(());
        }
        let internal = self.unknown_keys()?;
        let registry: Vec<VolumeRecord> = self.records.table().list().map_err(of_record)?;
        for volume in &registry {
            match self.volume_with(volume.uuid)? {
                None => self.take_over_volume(volume, &internal)?,
                Some(known) => self.follow(&known, volume),
            }
        }
        for key in &internal {
            self.take_over_key(key)?;
        }
        // Whoever works without the daemon later makes a key of their own.
        self.internal.forget_current().map_err(of_provider)
    }

    /// Internal keys that the ledger does not know. One that a rekey is just making is not among them.
    fn unknown_keys(&self) -> Outcome<Vec<KeyInfo>> {
        let ledger: Vec<MasterKeyRecord> = self.records.table().list().map_err(of_record)?;
        let rekey = self.records.table::<Rekey>().get(Only).map_err(of_record)?;
        let mut keys = self.internal.list().map_err(of_provider)?;
        keys.retain(|key| !ledger.iter().any(|known| known.id == key.id));
        keys.retain(|key| rekey.as_ref().is_none_or(|rekey| key.order != rekey.order));
        Ok(keys)
    }

    /// A volume that was moved and then served without the daemon is where the registry says.
    fn follow(&self, known: &records::Volume, now: &VolumeRecord) {
        if known.path.is_none() || !self.is_not_where_it_was(known) {
            return;
        }
        let site = Site { data: now.path.clone(), header: now.header.clone() };
        let Some(found) = self.host.find(&site).ok().filter(|found| found.uuid == known.uuid) else { return };
        if let Err(error) = self.move_to(known, &found) {
            tracing::warn!(volume = %known.uuid, "a volume that was moved is not opened yet: {error}");
        }
    }

    fn take_over_volume(&self, volume: &VolumeRecord, internal: &[KeyInfo]) -> Outcome<()> {
        let site = Site { data: volume.path.clone(), header: volume.header.clone() };
        self.host.place(volume.uuid, &site);
        let found = self.host.find(&site).ok().filter(|found| found.uuid == volume.uuid);
        // Every key may open one that is away, until it is read.
        let keys: BTreeSet<KeyId> = match &found {
            Some(found) => found.keys.iter().copied().collect(),
            None => internal.iter().map(|key| key.id).chain([volume.key_id]).collect(),
        };
        let (path, read) = (volume.path.clone(), found.as_ref().map(|_| self.now()));
        let arrival = Arrival {
            uuid: volume.uuid,
            name: name_of(volume),
            account: FIRST_ACCOUNT,
            // What is away tells its size when it is opened.
            size: found.as_ref().map_or(0, |found| found.size),
            small_sectors: found.as_ref().is_some_and(|found| found.sector_size == 512),
            site: &site,
            keys: keys.clone(),
        };
        let taken = self.records.transact(|work| {
            let taken = work.insert(|id| records::Volume {
                created: volume.created,
                path: Some(path.clone()),
                ..self.arriving(id, &arrival)
            })?;
            let header = Header::of_volume(taken.id, taken.uuid, volume.key_id);
            work.put(&Header { keys: keys.clone(), read, ..header })?;
            Ok::<_, Failed>(taken.id)
        })?;
        self.changed(&format!("Volume {taken} at {} was taken over from the node.", volume.path.display()))
    }

    fn take_over_key(&self, key: &KeyInfo) -> Outcome<()> {
        let (state, now) = (MasterKeyState::ToDecommission, self.now());
        let record = MasterKeyRecord {
            id: key.id,
            management: Management::Internal,
            unique_identifiers: Default::default(),
            created: key.created,
            state,
        };
        self.records.transact(|work| {
            KeyManagement::record_key_in(work, &record)?;
            step_in(work, key.id, state, "made by this node without its cluster", now)?;
            Ok::<_, Failed>(())
        })?;
        self.witness(key.id);
        Ok(())
    }
}

/// The name of its last export, else that of its file.
fn name_of(volume: &VolumeRecord) -> String {
    let stem = || volume.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name: String = volume.export.clone().unwrap_or_else(stem).chars().take(NAME_MAX).collect();
    if name.is_empty() { "volume".to_owned() } else { name }
}
