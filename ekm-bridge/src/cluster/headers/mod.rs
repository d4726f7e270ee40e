//! The headers of volumes and their backups, and how they come to be wrapped by the key in force.
//!
//! ```text
//! announce   the record names the new key          one transaction, only while that key is in force
//! wrap       the header does: old, both, new       each step on the medium before the next
//! read back  the record names what the header names, and the key in force if it did before
//! ```
//! The lock `in_force` is held for reading over the three: no other key comes into force meanwhile. So a record never names
//! fewer keys than its header ([`records::Header`]), whatever moment the process ends at.

mod backups;
mod catch_up;
mod sweep;
mod wrap;

use std::collections::BTreeSet;

use keywrap::keys::KeyId;
use uuid::Uuid;

pub(super) use catch_up::CatchUp;
pub(super) use sweep::Left;

use super::control::ClusterControl;
use super::errors::of_record;
use super::whole::Failed;
use crate::records::{self, Header, Only, Work};
use crate::rpc::control::Outcome;
use crate::rpc::{ApiError, ErrorName};

/// Headers in one transaction: each takes its record and an index entry or two.
pub(super) const AT_ONCE: usize = 32;

/// What became of one header: the keys that it names now, nothing when it was left as it is, or why it could not be brought
/// along.
pub(super) type Read = Result<Option<BTreeSet<KeyId>>, ApiError>;

impl ClusterControl {
    pub(super) fn header_records(&self) -> Outcome<Vec<Header>> {
        self.records.table().list().map_err(of_record)
    }

    /// The headers may name `key` from now on. The caller holds `in_force`, and at most [`AT_ONCE`] headers.
    pub(super) fn announce(&self, headers: &[Header], key: KeyId) -> Outcome<()> {
        let done = self.records.transact(|work| {
            must_be_in_force(work, key)?;
            for header in headers {
                if let Some(mut header) = work.get::<Header>(header.id)?
                    && header.keys.insert(key)
                {
                    work.put(&header)?;
                }
            }
            Ok::<_, Failed>(())
        });
        Ok(done?)
    }

    /// Records what was read of headers. The caller holds `in_force`.
    pub(super) fn read_back(&self, headers: &[(Uuid, &Read)]) -> Outcome<()> {
        let now = self.now();
        let done = self.records.transact(|work| {
            let in_force = work.need::<records::Cluster>(Only)?.encryption.master_key;
            for (id, read) in headers {
                let Some(mut header) = work.get::<Header>(*id)? else { continue };
                match read {
                    Ok(None) => continue,
                    Ok(Some(keys)) => {
                        let kept = header.keys.iter().copied().filter(|key| Some(*key) == in_force && !keys.is_empty());
                        let keys: BTreeSet<KeyId> = keys.iter().copied().chain(kept).collect();
                        header.was_read(keys, now);
                    }
                    Err(error) => header.failed(error.message.clone(), now),
                }
                work.put(&header)?;
            }
            Ok::<_, Failed>(())
        });
        Ok(done?)
    }

    /// Volumes that an earlier release made have no record of their header: every key may open them until it is read.
    pub(super) fn adopt_headers(&self) -> Outcome<()> {
        let known: BTreeSet<Uuid> = self.header_records()?.into_iter().map(|header| header.id).collect();
        let volumes = self.volume_records()?;
        let missing = volumes.iter().filter(|volume| !known.contains(&volume.uuid));
        for volume in missing {
            let keys: Vec<records::MasterKeyRecord> = self.records.table().list().map_err(of_record)?;
            let keys = keys.iter().filter(|key| key.is_outstanding()).map(|key| key.id).collect();
            let header = Header { keys, ..Header::of_volume(volume.id, volume.uuid, KeyId(Uuid::nil())) };
            self.records.table().put(&header).map_err(of_record)?;
        }
        Ok(())
    }
}

/// Nothing is wrapped by a key that is not, or no longer, in force.
pub(super) fn must_be_in_force(work: &mut Work<'_>, key: KeyId) -> Result<(), Failed> {
    if work.need::<records::Cluster>(Only)?.encryption.master_key == Some(key) {
        return Ok(());
    }
    let message = format!("master key {key} is no longer in force");
    Err(ApiError::new(ErrorName::DbVersionMismatch, message).into())
}
