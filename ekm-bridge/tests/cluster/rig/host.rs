//! A data path in memory: each volume has a size and, for each master key, the bytes that open it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use ekm_bridge::cluster::{HostError, HostErrorKind, HostStats, NewVolume, Offer, VolumeHost, WrappingKey};
use ekm_bridge::records::Site;
use keywrap::keys::KeyId;
use uuid::Uuid;

use super::Plug;

#[derive(Clone)]
pub(crate) struct ModelHost {
    state: Arc<Mutex<State>>,
    plug: Plug,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) disks: BTreeMap<Uuid, Disk>,
    pub(super) open: BTreeMap<Uuid, Open>,
    /// Where volumes are said to lie, and what lies there.
    pub(super) sites: BTreeMap<Uuid, Site>,
    pub(super) media: BTreeMap<PathBuf, Uuid>,
    /// Volumes whose header cannot be written.
    stuck: BTreeSet<Uuid>,
    /// Volumes whose medium is away.
    pub(super) away: BTreeSet<Uuid>,
    /// Backups of headers: the volume, and its keys then.
    pub(super) backups: BTreeMap<PathBuf, (Uuid, Disk)>,
    rewraps: usize,
}

#[derive(Clone)]
pub(super) struct Disk {
    pub(super) size: u64,
    pub(super) keys: BTreeMap<KeyId, [u8; 32]>,
}

pub(crate) struct Open {
    pub(crate) name: String,
    pub(crate) offer: Offer,
    stats: HostStats,
}

impl ModelHost {
    pub(super) fn new(plug: Plug) -> Self {
        Self { state: Arc::default(), plug }
    }

    pub(crate) fn forget_open(&self) {
        let mut state = self.state();
        state.open.clear();
        state.sites.clear();
    }

    pub(crate) fn set_stuck(&self, uuid: Uuid, is_stuck: bool) {
        let mut state = self.state();
        if is_stuck {
            state.stuck.insert(uuid)
        } else {
            state.stuck.remove(&uuid)
        };
    }

    pub(crate) fn set_away(&self, uuid: Uuid, is_away: bool) {
        let mut state = self.state();
        if is_away {
            state.open.remove(&uuid);
            state.away.insert(uuid)
        } else {
            state.away.remove(&uuid)
        };
    }

    /// A copy of the keyslots, as somebody may take one of a volume's file.
    pub(crate) fn copy_header(&self, uuid: Uuid) -> BTreeMap<KeyId, [u8; 32]> {
        self.state().disks[&uuid].keys.clone()
    }

    /// Puts such a copy back.
    pub(crate) fn put_header(&self, uuid: Uuid, keys: BTreeMap<KeyId, [u8; 32]>) {
        self.state().disks.get_mut(&uuid).unwrap().keys = keys;
    }

    pub(crate) fn remove_backup(&self, path: &Path) {
        self.state().backups.remove(path);
    }

    pub(crate) fn backups(&self) -> Vec<(Uuid, Vec<KeyId>)> {
        let state = self.state();
        state.backups.values().map(|(uuid, disk)| (*uuid, disk.keys.keys().copied().collect())).collect()
    }

    pub(crate) fn disks(&self) -> BTreeMap<Uuid, (u64, Vec<KeyId>)> {
        let disk = |(uuid, disk): (&Uuid, &Disk)| (*uuid, (disk.size, disk.keys.keys().copied().collect()));
        self.state().disks.iter().map(disk).collect()
    }

    /// What opens each volume.
    pub(crate) fn keyslots(&self) -> BTreeMap<Uuid, BTreeMap<KeyId, [u8; 32]>> {
        self.state().disks.iter().map(|(uuid, disk)| (*uuid, disk.keys.clone())).collect()
    }

    pub(crate) fn open_volumes(&self) -> BTreeMap<Uuid, (String, Offer)> {
        self.state().open.iter().map(|(uuid, open)| (*uuid, (open.name.clone(), open.offer))).collect()
    }

    pub(crate) fn work(&self, uuid: Uuid, reads: u64) {
        let mut state = self.state();
        let stats = &mut state.open.get_mut(&uuid).unwrap().stats;
        stats.read_ops += reads;
        stats.read_bytes += reads * 4096;
    }

    pub(crate) fn rewraps(&self) -> usize {
        self.state().rewraps
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn power(&self, what: &str) -> Result<(), HostError> {
        if self.plug.step(format!("volume: {what}")) {
            Ok(())
        } else {
            Err(error(HostErrorKind::Failed, "the power is cut"))
        }
    }
}

pub(super) fn error(kind: HostErrorKind, message: &str) -> HostError {
    HostError { kind, message: message.into(), source: None }
}

impl State {
    pub(super) fn disk(&mut self, uuid: Uuid) -> Result<&mut Disk, HostError> {
        if self.away.contains(&uuid) {
            return Err(error(HostErrorKind::Absent, "its medium is away"));
        }
        // What lies at a place of its own is found there and nowhere else.
        let lies = |site: &Site| self.media.get(&site.data) == Some(&uuid);
        if self.media.values().any(|laid| *laid == uuid) && !self.sites.get(&uuid).is_some_and(lies) {
            return Err(error(HostErrorKind::Absent, "nobody has told where it lies"));
        }
        self.disks.get_mut(&uuid).ok_or_else(|| error(HostErrorKind::Absent, "there is no such volume"))
    }

    pub(super) fn unlocked(&mut self, uuid: Uuid, key: WrappingKey<'_>) -> Result<&mut Disk, HostError> {
        let disk = self.disk(uuid)?;
        if disk.keys.get(&key.id) == Some(key.key.0.expose_secret()) {
            return Ok(disk);
        }
        Err(error(HostErrorKind::WrongKey, "the key does not open the volume"))
    }
}

impl VolumeHost for ModelHost {
    fn create(&self, new: &NewVolume, key: WrappingKey<'_>) -> Result<PathBuf, HostError> {
        self.power("create")?;
        let keys = BTreeMap::from([(key.id, *key.key.0.expose_secret())]);
        self.state().disks.insert(new.uuid, Disk { size: new.size, keys });
        Ok(PathBuf::from(format!("/volumes/{}", new.uuid)))
    }

    fn open(&self, uuid: Uuid, name: &str, offer: Offer, key: WrappingKey<'_>) -> Result<(), HostError> {
        self.power("open")?;
        let mut state = self.state();
        state.unlocked(uuid, key)?;
        let stats = state.open.get(&uuid).map(|open| open.stats).unwrap_or_default();
        state.open.insert(uuid, Open { name: name.into(), offer, stats });
        Ok(())
    }

    fn close(&self, uuid: Uuid) -> Result<(), HostError> {
        self.power("close")?;
        self.state().open.remove(&uuid);
        Ok(())
    }

    fn grow(&self, uuid: Uuid, size: u64, key: WrappingKey<'_>) -> Result<(), HostError> {
        self.power("grow")?;
        let mut state = self.state();
        let disk = state.unlocked(uuid, key)?;
        assert!(size >= disk.size, "volumes only grow");
        disk.size = size;
        Ok(())
    }

    fn erase(&self, uuid: Uuid) -> Result<(), HostError> {
        self.power("erase")?;
        let mut state = self.state();
        assert!(!state.open.contains_key(&uuid), "an open volume is not erased");
        if state.sites.contains_key(&uuid) {
            state.disk(uuid)?;
        }
        state.disks.remove(&uuid);
        state.media.retain(|_, laid| *laid != uuid);
        Ok(())
    }

    fn key_ids(&self, uuid: Uuid) -> Result<Vec<KeyId>, HostError> {
        Ok(self.state().disk(uuid)?.keys.keys().copied().collect())
    }

    fn rewrap(&self, uuid: Uuid, old: WrappingKey<'_>, new: WrappingKey<'_>) -> Result<(), HostError> {
        self.power("rewrap")?;
        let mut state = self.state();
        if state.stuck.contains(&uuid) {
            return Err(error(HostErrorKind::Failed, "the header cannot be written"));
        }
        state.rewraps += 1;
        state.unlocked(uuid, old)?.keys.insert(new.id, *new.key.0.expose_secret());
        drop(state);
        self.power("rewrap")?;
        self.state().unlocked(uuid, new)?.keys.remove(&old.id);
        Ok(())
    }

    fn rewrap_open(&self, uuid: Uuid, old: KeyId, new: WrappingKey<'_>) -> Result<(), HostError> {
        self.power("rewrap_open")?;
        let mut state = self.state();
        if !state.open.contains_key(&uuid) {
            return Err(error(HostErrorKind::Absent, "the volume is not open"));
        }
        state.rewraps += 1;
        let disk = state.disk(uuid)?;
        disk.keys.remove(&old);
        disk.keys.insert(new.id, *new.key.0.expose_secret());
        Ok(())
    }

    fn backup_path(&self, uuid: Uuid, id: Uuid) -> PathBuf {
        PathBuf::from(format!("/backups/{uuid}.{id}"))
    }

    fn back_up_header(&self, uuid: Uuid, path: &Path) -> Result<(), HostError> {
        self.power("back_up_header")?;
        let mut state = self.state();
        let copy = state.disk(uuid)?.clone();
        state.backups.insert(path.to_owned(), (uuid, copy));
        Ok(())
    }

    fn backup_key_ids(&self, uuid: Uuid, path: &Path) -> Result<Vec<KeyId>, HostError> {
        let state = self.state();
        let backup = state.backups.get(path).filter(|(of, _)| *of == uuid);
        let (_, disk) = backup.ok_or_else(|| error(HostErrorKind::Absent, "there is no such backup"))?;
        Ok(disk.keys.keys().copied().collect())
    }

    fn rewrap_backup(
        &self,
        _uuid: Uuid,
        path: &Path,
        old: WrappingKey<'_>,
        new: WrappingKey<'_>,
    ) -> Result<(), HostError> {
        self.power("backup_key_ids")?;
        let mut state = self.state();
        let backup = state.backups.get_mut(path);
        let (_, disk) = backup.ok_or_else(|| error(HostErrorKind::Absent, "there is no such backup"))?;
        assert_eq!(disk.keys.remove(&old.id), Some(*old.key.0.expose_secret()));
        disk.keys.insert(new.id, *new.key.0.expose_secret());
        Ok(())
    }

    fn erase_backup(&self, _uuid: Uuid, path: &Path) -> Result<(), HostError> {
        self.power("erase_backup")?;
        let erased = self.state().backups.remove(path).map(drop);
        erased.ok_or_else(|| error(HostErrorKind::Absent, "there is no such backup"))
    }

    fn is_open(&self, uuid: Uuid) -> bool {
        self.state().open.contains_key(&uuid)
    }

    fn stats(&self, uuid: Uuid) -> Option<HostStats> {
        self.state().open.get(&uuid).map(|open| open.stats)
    }
}
