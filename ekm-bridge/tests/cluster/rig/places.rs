//! Places of the model data path: what lies there is a volume that a passphrase opens, until it gets a key.

use std::path::{Path, PathBuf};

use ekm_bridge::cluster::{
    ChangedPassphrases, Found, HostError, HostErrorKind, HostPlaces, NewPassphrase, NewPlaced, WrappingKey,
};
use ekm_bridge::records::Site;
use keywrap::keys::{KeyId, KeyslotKey};
use keywrap::secret::{Secret, SecretBytes};
use uuid::Uuid;

use super::SimHost;
use super::host::{Disk, ModelHost, error};

/// What opens every volume that lies somewhere.
pub(crate) const PASSPHRASE: &[u8] = b"correct horse";

impl ModelHost {
    /// Where a volume was said to lie.
    pub(crate) fn told(&self, uuid: Uuid) -> Option<Site> {
        self.state().sites.get(&uuid).cloned()
    }

    /// A volume at a place, with keyslots under these keys and a passphrase.
    pub(crate) fn lay(&self, site: &Site, uuid: Uuid, size: u64, keys: &[(KeyId, [u8; 32])]) {
        let mut state = self.state();
        state.disks.insert(uuid, Disk { size, keys: keys.iter().copied().collect() });
        state.media.insert(site.data.clone(), uuid);
    }

    /// Somebody moves what lies at a path.
    pub(crate) fn carry(&self, from: &str, to: &str) {
        let mut state = self.state();
        let uuid = state.media.remove(Path::new(from)).unwrap();
        state.media.insert(PathBuf::from(to), uuid);
    }

    /// Whether something lies at a path.
    pub(crate) fn lies(&self, path: &str) -> Option<Uuid> {
        self.state().media.get(Path::new(path)).copied()
    }
}

impl HostPlaces for ModelHost {
    fn place(&self, uuid: Uuid, site: &Site) {
        self.state().sites.insert(uuid, site.clone());
    }

    fn check_ground(&self, new: &NewPlaced) -> Result<Site, HostError> {
        if self.state().media.contains_key(&new.site.data) && !new.overwrite {
            return Err(error(HostErrorKind::Occupied, "something is there"));
        }
        Ok(new.site.clone())
    }

    fn create_at(&self, new: &NewPlaced, key: WrappingKey<'_>) -> Result<(), HostError> {
        self.power("create_at")?;
        self.lay(&new.site, new.uuid, new.size.unwrap_or(1 << 30), &[(key.id, *key.key.0.expose_secret())]);
        self.power("create_at")
    }

    fn discard(&self, _uuid: Uuid) -> Result<(), HostError> {
        self.power("discard")
    }

    fn find(&self, site: &Site) -> Result<Found, HostError> {
        let state = self.state();
        let uuid = state.media.get(&site.data).copied();
        let uuid = uuid.ok_or_else(|| error(HostErrorKind::Absent, "nothing is there"))?;
        if state.away.contains(&uuid) {
            return Err(error(HostErrorKind::Absent, "its medium is away"));
        }
        let disk = &state.disks[&uuid];
        let keys = disk.keys.keys().copied().collect();
        Ok(Found { site: site.clone(), uuid, size: disk.size, sector_size: 4096, keys })
    }

    fn adopt(&self, uuid: Uuid, passphrase: &SecretBytes, key: WrappingKey<'_>) -> Result<(), HostError> {
        self.power("adopt")?;
        if passphrase.expose_secret() != PASSPHRASE {
            return Err(error(HostErrorKind::WrongKey, "the passphrase does not open it"));
        }
        self.state().disk(uuid)?.keys.insert(key.id, *key.key.0.expose_secret());
        self.power("adopt")
    }

    fn add_passphrase(
        &self,
        uuid: Uuid,
        key: WrappingKey<'_>,
        _new: &NewPassphrase,
    ) -> Result<ChangedPassphrases, HostError> {
        self.state().unlocked(uuid, key)?;
        Ok(ChangedPassphrases { keyslot: 1, removed: Vec::new() })
    }

    fn keyslot_key(&self, uuid: Uuid, key: WrappingKey<'_>) -> Result<KeyslotKey, HostError> {
        self.state().unlocked(uuid, key)?;
        Ok(KeyslotKey(Secret::copy_from(&[7; 32]).unwrap()))
    }

    fn restore_header(&self, uuid: Uuid, backup: &Path, _force: bool) -> Result<(), HostError> {
        self.power("restore_header")?;
        let mut state = self.state();
        assert!(!state.open.contains_key(&uuid), "a header is restored while nobody is served");
        let (_, disk) = state.backups.get(backup).cloned().unwrap();
        state.disk(uuid)?.keys = disk.keys;
        drop(state);
        self.power("restore_header")
    }

    fn is_present(&self, uuid: Uuid) -> bool {
        self.state().disk(uuid).is_ok()
    }

    fn size(&self, uuid: Uuid) -> Option<u64> {
        let mut state = self.state();
        state.open.contains_key(&uuid).then(|| state.disk(uuid).unwrap().size)
    }

    fn uris(&self, export: &str) -> Vec<String> {
        vec![format!("nbd://model/{export}")]
    }
}

/// Nothing lies anywhere but in the data directory.
impl HostPlaces for SimHost {
    fn place(&self, _uuid: Uuid, _site: &Site) {}

    fn check_ground(&self, _new: &NewPlaced) -> Result<Site, HostError> {
        unreachable!("nothing is made at a place here")
    }

    fn create_at(&self, _new: &NewPlaced, _key: WrappingKey<'_>) -> Result<(), HostError> {
        unreachable!("nothing is made at a place here")
    }

    fn discard(&self, _uuid: Uuid) -> Result<(), HostError> {
        Ok(())
    }

    fn find(&self, _site: &Site) -> Result<Found, HostError> {
        unreachable!("nothing lies at a place here")
    }

    fn adopt(&self, _uuid: Uuid, _passphrase: &SecretBytes, _key: WrappingKey<'_>) -> Result<(), HostError> {
        unreachable!("nothing is adopted here")
    }

    fn add_passphrase(
        &self,
        _uuid: Uuid,
        _key: WrappingKey<'_>,
        _new: &NewPassphrase,
    ) -> Result<ChangedPassphrases, HostError> {
        unreachable!("nothing gets a passphrase here")
    }

    fn keyslot_key(&self, _uuid: Uuid, _key: WrappingKey<'_>) -> Result<KeyslotKey, HostError> {
        unreachable!("no key is exported here")
    }

    fn restore_header(&self, _uuid: Uuid, _backup: &Path, _force: bool) -> Result<(), HostError> {
        unreachable!("nothing is restored here")
    }

    fn is_present(&self, uuid: Uuid) -> bool {
        ekm_bridge::cluster::VolumeHost::key_ids(self, uuid).is_ok()
    }

    fn size(&self, _uuid: Uuid) -> Option<u64> {
        None
    }

    fn uris(&self, _export: &str) -> Vec<String> {
        Vec::new()
    }
}

/// A place with the header in front of the data.
pub(crate) fn site(path: &str) -> Site {
    Site { data: PathBuf::from(path), header: None }
}
