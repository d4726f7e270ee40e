//! The headers that master keys open: those of volumes, and backups of them.
//!
//! A record never names fewer keys than its header does: a key is named here, durably, before a header is wrapped by it,
//! and no longer named only after the header was read from its medium without it. So what the records say depends on a
//! key is all that can depend on it, also of volumes that are away.

use std::collections::BTreeSet;
use std::path::PathBuf;

use keywrap::keys::KeyId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::record::Record;
use super::volumes::VolumeId;
use super::{RecordError, Work};
use crate::time::UnixSeconds;

/// One header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The volume's UUID for its own header; a backup has a UUID of its own.
    pub id: Uuid,
    /// The volume.
    pub volume: VolumeId,
    /// The volume's UUID.
    pub volume_uuid: Uuid,
    /// Where it is.
    pub place: Place,
    /// The master keys that it names, or may name.
    pub keys: BTreeSet<KeyId>,
    /// When it was last read and named exactly these keys.
    pub read: Option<UnixSeconds>,
    /// Why it could not be read or changed, and since when; gone with the next success.
    pub trouble: Option<Trouble>,
}

/// Where a header is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Place {
    /// With the volume's data.
    Volume,
    /// In a file of its own.
    Backup {
        /// The file.
        path: PathBuf,
        /// When it was made.
        made: UnixSeconds,
    },
}

/// What is wrong with a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trouble {
    /// Since when.
    pub since: UnixSeconds,
    /// In words.
    pub why: String,
}

/// Headers are found by each key that they name.
const KEY: &str = "key";

impl Header {
    /// The header of a volume that is about to be wrapped by `key`.
    #[must_use]
    pub fn of_volume(volume: VolumeId, uuid: Uuid, key: KeyId) -> Self {
        let keys = BTreeSet::from([key]);
        Self { id: uuid, volume, volume_uuid: uuid, place: Place::Volume, keys, read: None, trouble: None }
    }

    /// What it is called: `volume 3`, or `backup /path of volume 3`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.place {
            Place::Volume => format!("volume {}", self.volume),
            Place::Backup { path, .. } => format!("backup {} of volume {}", path.display(), self.volume),
        }
    }

    /// Whether it names this key and no other, as far as is known.
    #[must_use]
    pub fn is_on(&self, key: KeyId) -> bool {
        self.keys.len() == 1 && self.keys.contains(&key)
    }

    /// It was read, and names these keys.
    pub fn was_read(&mut self, keys: BTreeSet<KeyId>, now: UnixSeconds) {
        (self.keys, self.read, self.trouble) = (keys, Some(now), None);
    }

    /// It could not be read or changed.
    pub fn failed(&mut self, why: String, now: UnixSeconds) {
        let since = self.trouble.as_ref().map_or(now, |trouble| trouble.since);
        self.trouble = Some(Trouble { since, why });
    }

    /// The headers that may depend on a key.
    ///
    /// # Errors
    /// When the store fails.
    pub fn naming(work: &mut Work<'_>, key: KeyId) -> Result<Vec<Self>, RecordError> {
        work.find(KEY, &key.to_string())
    }
}

impl super::Records {
    /// The headers that may depend on a key.
    ///
    /// # Errors
    /// When the store fails.
    pub fn headers_naming(&self, key: KeyId) -> Result<Vec<Header>, RecordError> {
        self.table().find(KEY, &key.to_string())
    }
}

impl Record for Header {
    const KIND: &'static str = "header";
    type Id = Uuid;

    fn id(&self) -> Uuid {
        self.id
    }

    fn index(&self) -> Vec<(&'static str, String)> {
        self.keys.iter().map(|key| (KEY, key.to_string())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::records::Records;
    use crate::store::MemoryStore;

    #[test]
    fn a_header_is_found_by_each_key_that_it_names_and_by_no_other() {
        let records = Records::new(Arc::new(MemoryStore::default()));
        let (old, new) = (KeyId::random(), KeyId::random());
        let mut header = Header::of_volume(VolumeId(1), Uuid::from_u128(7), old);
        let found = |key| records.headers_naming(key).unwrap().len();
        records.table().put(&header).unwrap();
        assert_eq!((found(old), found(new)), (1, 0));
        header.keys.insert(new);
        records.table().put(&header).unwrap();
        assert_eq!((found(old), found(new)), (1, 1));
        header.was_read(BTreeSet::from([new]), UnixSeconds(5));
        records.table().put(&header).unwrap();
        assert_eq!((found(old), found(new)), (0, 1));
        assert!(header.is_on(new) && !header.is_on(old));
    }

    #[test]
    fn a_trouble_keeps_its_first_time_and_ends_with_a_reading() {
        let mut header = Header::of_volume(VolumeId(1), Uuid::from_u128(7), KeyId::random());
        header.failed("away".into(), UnixSeconds(1));
        header.failed("still away".into(), UnixSeconds(9));
        assert_eq!(header.trouble, Some(Trouble { since: UnixSeconds(1), why: "still away".into() }));
        header.was_read(BTreeSet::new(), UnixSeconds(10));
        assert_eq!(header.trouble, None);
    }
}
