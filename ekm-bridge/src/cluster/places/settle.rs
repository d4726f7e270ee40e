//! What becomes of a volume whose making or adoption was begun.

use std::collections::BTreeSet;

use keywrap::keys::KeyId;

use crate::cluster::control::ClusterControl;
use crate::cluster::errors::{of_host, of_record};
use crate::cluster::headers::must_be_in_force;
use crate::cluster::host::{Found, HostErrorKind};
use crate::cluster::keys::Owned;
use crate::cluster::volumes::default_qos;
use crate::cluster::whole::Failed;
use crate::records::{self, Access, Header, MasterKeyRecord, Site, VolumeStatus, Work};
use crate::rpc::control::Outcome;
use crate::rpc::{ApiError, ErrorName};

/// A volume that is about to be recorded.
pub(super) struct Arrival<'a> {
    pub(super) uuid: uuid::Uuid,
    pub(super) name: String,
    pub(super) account: u64,
    pub(super) size: u64,
    pub(super) small_sectors: bool,
    pub(super) site: &'a Site,
    /// The keys that its header names, or is about to.
    pub(super) keys: BTreeSet<KeyId>,
}

impl ClusterControl {
    /// Records the volume that is to be, and the keys that its header is to name; `new` among them must be in force.
    pub(super) fn announce_arrival(&self, arrival: &Arrival<'_>, new: Option<KeyId>) -> Outcome<records::Volume> {
        let planned = self.records.transact(|work| {
            new.map_or(Ok(()), |key| must_be_in_force(work, key))?;
            must_be_free(work, arrival)?;
            let planned = work.insert(|id| self.arriving(id, arrival))?;
            work.put(&Header {
                keys: arrival.keys.clone(),
                ..Header::of_volume(planned.id, planned.uuid, KeyId(uuid::Uuid::nil()))
            })?;
            Ok::<_, Failed>(planned)
        });
        let planned = planned?;
        self.host.place(planned.uuid, arrival.site);
        Ok(planned)
    }

    pub(super) fn arriving(&self, id: records::VolumeId, arrival: &Arrival<'_>) -> records::Volume {
        records::Volume {
            id,
            uuid: arrival.uuid,
            name: arrival.name.clone(),
            account: arrival.account,
            size: arrival.size,
            status: VolumeStatus::Active,
            created: self.now(),
            access: Access::ReadWrite,
            qos: default_qos(),
            attributes: serde_json::Map::new(),
            enable_512e: arrival.small_sectors,
            path: None,
            site: Some(arrival.site.clone()),
        }
    }

    /// Opens a volume that is there now, and records that it is one. The caller has its turn and holds `in_force`.
    pub(super) fn arrive(&self, planned: &records::Volume, key: &Owned) -> Outcome<records::Volume> {
        let found = self.found(planned)?;
        let real = records::Volume { size: found.size, ..planned.clone() };
        self.open(&real, key)?;
        self.is_there(planned, &found)
    }

    /// A volume that was begun becomes one, or is forgotten; whether it is one. The caller has its turn.
    pub(in crate::cluster) fn settle_arrival(&self, planned: &records::Volume) -> Outcome<bool> {
        let keys = match self.host.key_ids(planned.uuid) {
            Ok(keys) => keys,
            Err(error) if error.kind == HostErrorKind::Absent => Vec::new(),
            Err(error) => return Err(of_host(error)),
        };
        let ledger: Vec<MasterKeyRecord> = self.records.table().list().map_err(of_record)?;
        if ledger.iter().any(|known| known.is_outstanding() && keys.contains(&known.id)) {
            self.is_there(planned, &self.found(planned)?)?;
            return Ok(true);
        }
        self.host.discard(planned.uuid).map_err(of_host)?;
        let forgotten = self.records.transact(|work| {
            work.delete::<Header>(planned.uuid)?;
            work.delete::<records::Volume>(planned.id)
        });
        forgotten.map_err(of_record)?;
        Ok(false)
    }

    /// Settles what a call that failed had begun.
    pub(super) fn settle_after_failure(&self, planned: &records::Volume) {
        if let Err(error) = self.settle_arrival(planned) {
            tracing::warn!(volume = %planned.uuid, "a volume that could not be taken on is forgotten later: {error}");
        }
    }

    fn found(&self, planned: &records::Volume) -> Outcome<Found> {
        let lost = || ApiError::new(ErrorName::AssertionFailure, format!("volume {} has no place", planned.id));
        self.host.find(planned.site.as_ref().ok_or_else(lost)?).map_err(of_host)
    }

    fn is_there(&self, planned: &records::Volume, found: &Found) -> Outcome<records::Volume> {
        let (keys, now): (BTreeSet<KeyId>, _) = (found.keys.iter().copied().collect(), self.now());
        let real = self.records.transact(|work| {
            work.update::<Header>(planned.uuid, |header| header.was_read(keys.clone(), now))?;
            work.update::<records::Volume>(planned.id, |volume| {
                volume.size = found.size;
                volume.path = Some(found.site.data.clone());
            })
        });
        real.map_err(of_record)
    }
}

/// Neither its UUID nor its place is another volume's.
fn must_be_free(work: &mut Work<'_>, arrival: &Arrival<'_>) -> Result<(), Failed> {
    for known in work.list::<records::Volume>()? {
        let lies = |path: &std::path::PathBuf| arrival.site.paths().any(|taken| taken == path);
        let is_taken = known.uuid == arrival.uuid
            || known.path.as_ref().is_some_and(lies)
            || known.site.as_ref().is_some_and(|site| site.overlaps(arrival.site));
        if is_taken {
            let message = format!("it is volume {} of this cluster already", known.id);
            return Err(ApiError::new(ErrorName::PlaceOccupied, message).into());
        }
    }
    Ok(())
}
