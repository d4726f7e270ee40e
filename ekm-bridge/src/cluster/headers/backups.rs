//! Backups of headers: made here, so that they are known, and follow every rekey while they can be reached.
//!
//! ```text
//! record, not read yet ─▶ host: the file ─▶ host: read it ─▶ record, read        a crash: the next start takes both away
//! ```

use std::collections::BTreeSet;

use uuid::Uuid;

use super::Read;
use crate::cluster::control::{ClusterControl, read};
use crate::cluster::errors::{of_host, of_record};
use crate::cluster::host::HostErrorKind;
use crate::records::{self, Header, Place};
use crate::rpc::control::{HeaderBackups, Outcome};
use crate::rpc::types::ledger::HeaderBackup;
use crate::rpc::types::{Timestamp, VolumeId};
use crate::rpc::{ApiError, ErrorName};

impl HeaderBackups for ClusterControl {
    fn create_header_backup(&self, volume: VolumeId) -> Outcome<HeaderBackup> {
        let _key_stays = read(&self.in_force);
        let volume = self.volume_record(volume)?;
        let _turn = self.turns.take(volume.uuid);
        let id = Uuid::new_v4();
        let path = self.host.backup_path(volume.uuid, id);
        // What may be in the volume's header may be in its copy.
        let known: Header = self.records.table().need(volume.uuid).map_err(of_record)?;
        let place = Place::Backup { path: path.clone(), made: self.now() };
        let planned = Header { id, place, read: None, trouble: None, ..known };
        self.records.table().put(&planned).map_err(of_record)?;
        let made =
            self.host.back_up_header(volume.uuid, &path).and_then(|()| self.host.backup_key_ids(volume.uuid, &path));
        let keys: Read = Ok(match made {
            Ok(ids) => Some(ids.into_iter().collect::<BTreeSet<_>>()),
            Err(error) => {
                self.forget_half_made(&planned)?;
                return Err(of_host(error));
            }
        });
        self.read_back(&[(id, &keys)])?;
        self.changed(&format!("A backup of the header of volume {} was made: {}.", volume.id, path.display()))?;
        show(&self.records.table().need(id).map_err(of_record)?)
    }

    fn header_backups(&self, volume: Option<VolumeId>) -> Outcome<Vec<HeaderBackup>> {
        let mut headers = self.header_records()?;
        headers.retain(|header| volume.is_none_or(|volume| header.volume.0 == volume.0));
        headers.iter().filter(|header| header.place != Place::Volume).map(show).collect()
    }

    fn delete_header_backup(&self, id: Uuid, is_gone: bool) -> Outcome<()> {
        let known: Option<Header> = self.records.table().get(id).map_err(of_record)?;
        let absent = || ApiError::new(ErrorName::DbNoSuchPath, format!("there is no header backup {id}"));
        let header = known.filter(|header| header.place != Place::Volume).ok_or_else(absent)?;
        let _turn = self.turns.take(id);
        self.erase_backup(&header, is_gone)?;
        let said = if is_gone { ", by an administrator's word that it is gone" } else { "" };
        self.changed(&format!("The header's {} was deleted{said}.", header.name()))
    }
}

impl ClusterControl {
    /// Destroys the keyslots in a backup, removes the file and forgets it. One that is not there is believed to be gone only
    /// when somebody says so: it may have been moved away.
    pub(in crate::cluster) fn erase_backup(&self, header: &Header, is_gone: bool) -> Outcome<()> {
        let Place::Backup { path, .. } = &header.place else { return Ok(()) };
        match self.host.erase_backup(header.volume_uuid, path) {
            Err(error) if error.kind == HostErrorKind::Absent && is_gone => {}
            Err(error) if error.kind == HostErrorKind::Absent => {
                let message = format!(
                    "{} is not there: {}. Bring it back, or repeat the call with `isGone` if no copy of it exists",
                    header.name(),
                    error.message
                );
                return Err(ApiError::new(ErrorName::VolumeUnavailable, message));
            }
            outcome => outcome.map_err(of_host)?,
        }
        self.records.table::<Header>().delete(header.id).map(drop).map_err(of_record)
    }

    /// Erases the backups of a volume that is being purged; those that are away stay on record.
    pub(in crate::cluster) fn erase_backups_of(&self, volume: records::VolumeId) -> Outcome<()> {
        let backups = self.header_records()?.into_iter();
        for backup in backups.filter(|header| header.volume == volume && header.place != Place::Volume) {
            let _turn = self.turns.take(backup.id);
            if let Err(error) = self.erase_backup(&backup, false) {
                tracing::warn!("the {} outlives its volume: {error}", backup.name());
            }
        }
        Ok(())
    }

    /// Backups that a process was in the middle of making when it ended.
    pub(in crate::cluster) fn forget_half_made_backups(&self) -> Outcome<()> {
        let headers = self.header_records()?.into_iter();
        let half_made = headers.filter(|header| header.place != Place::Volume && header.read.is_none());
        for header in half_made {
            self.forget_half_made(&header)?;
        }
        Ok(())
    }

    fn forget_half_made(&self, header: &Header) -> Outcome<()> {
        self.erase_backup(header, true)
    }
}

fn show(header: &Header) -> Outcome<HeaderBackup> {
    let Place::Backup { path, made } = &header.place else {
        return Err(ApiError::new(ErrorName::AssertionFailure, "a volume's own header is no backup"));
    };
    Ok(HeaderBackup {
        id: header.id,
        volume: VolumeId(header.volume.0),
        path: path.display().to_string(),
        created: Timestamp(*made),
        keys: header.keys.iter().map(|key| key.0).collect(),
        last_read: header.read.map(Timestamp),
        trouble: header.trouble.as_ref().map(|trouble| trouble.why.clone()),
    })
}
