//! A data path whose headers are real, on media that lose, tear and reorder what was not synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use ekm_bridge::cluster::{HostError, HostErrorKind, HostStats, NewVolume, Offer, VolumeHost, WrappingKey};
use keywrap::keys::{KeyId, MasterKey};
use keywrap::secret::Secret;
use keywrap::volume::{self, CreateOptions, VolumeError};
use uuid::Uuid;

use super::Plug;
use crate::sim::{Fault, Image, SimMedium};

const LEN: u64 = 3 << 20;

#[derive(Clone)]
pub(crate) struct SimHost {
    state: Arc<Mutex<State>>,
    plug: Plug,
}

struct State {
    disks: BTreeMap<Uuid, Image>,
    open: BTreeMap<Uuid, ()>,
    broken: Option<Broken>,
    /// Chooses among what a power cut may leave.
    seed: u64,
}

/// A medium that takes no more writes after some.
struct Broken {
    uuid: Uuid,
    /// Writes and syncs that it still does.
    left: usize,
    kind: io::ErrorKind,
    /// Whether what was not synced is lost, torn or reordered, as if the power had failed as well.
    is_lossy: bool,
}

impl SimHost {
    pub(crate) fn new(plug: Plug, seed: u64) -> Self {
        let (disks, open, broken) = Default::default();
        Self { state: Arc::new(Mutex::new(State { disks, open, broken, seed })), plug }
    }

    pub(crate) fn volumes(&self) -> Vec<Uuid> {
        self.state().disks.keys().copied().collect()
    }

    /// From its `n`th write or sync on, the medium of this volume fails with `kind`.
    pub(crate) fn break_from(&self, uuid: Uuid, n: usize, kind: io::ErrorKind, is_lossy: bool) {
        self.state().broken = Some(Broken { uuid, left: n, kind, is_lossy });
    }

    /// Every medium is well again; whether one had failed.
    pub(crate) fn mend(&self) -> bool {
        self.state().broken.take().is_some_and(|broken| broken.left == 0)
    }

    /// Which of these keys open the volume.
    pub(crate) fn opening(&self, uuid: Uuid, keys: &BTreeSet<(KeyId, [u8; 32])>) -> Vec<KeyId> {
        let medium = self.medium(uuid).unwrap();
        let opens = |(id, bytes): &(KeyId, [u8; 32])| {
            let key = MasterKey(Secret::copy_from(bytes).unwrap());
            volume::unlock_with_master(&medium, LEN, *id, &key).is_ok().then_some(*id)
        };
        keys.iter().filter_map(opens).collect()
    }

    pub(crate) fn forget_open(&self) {
        self.state().open.clear();
    }

    pub(crate) fn open_count(&self) -> usize {
        self.state().open.len()
    }

    /// The keys that each header names.
    pub(crate) fn keys(&self) -> Vec<Vec<KeyId>> {
        let state = self.state();
        state.disks.values().map(|image| volume::key_ids(&sound(image)).unwrap()).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Does something to a header, each write and each sync a step that needs power. What is not synced when the power
    /// fails is left in one of many ways.
    fn change<T>(
        &self,
        uuid: Uuid,
        what: &str,
        work: impl FnOnce(&SimMedium) -> Result<T, VolumeError>,
    ) -> Result<T, HostError> {
        let mut state = self.state();
        let image = state.disks.get(&uuid).cloned().unwrap_or_else(|| Image::zeroed(LEN));
        let left = usize::try_from(self.plug.left()).unwrap_or(usize::MAX);
        if state.broken.as_ref().is_some_and(|broken| broken.uuid == uuid) {
            return state.change_broken(uuid, &image, work);
        }
        let medium = SimMedium::new(image, Fault::PowerCut { step: left });
        let done = work(&medium);
        let is_cut = medium.steps() > left;
        for step in 0..medium.steps().min(left.saturating_add(1)) {
            self.plug.step(format!("volume: {what}, write or sync {step}"));
        }
        let after = if is_cut { state.one_of(&medium) } else { medium.visible() };
        state.disks.insert(uuid, after);
        done.map_err(failed)
    }

    fn medium(&self, uuid: Uuid) -> Result<SimMedium, HostError> {
        let absent = || HostError { kind: HostErrorKind::Absent, message: "no such volume".into(), source: None };
        self.state().disks.get(&uuid).map(sound).ok_or_else(absent)
    }
}

impl State {
    /// One of the ways in which a power cut may leave the medium.
    fn one_of(&mut self, medium: &SimMedium) -> Image {
        let images = medium.after_power_cut();
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let chosen = usize::try_from(self.seed >> 33).unwrap() % images.len();
        images[chosen].1.clone()
    }

    fn change_broken<T>(
        &mut self,
        uuid: Uuid,
        image: &Image,
        work: impl FnOnce(&SimMedium) -> Result<T, VolumeError>,
    ) -> Result<T, HostError> {
        let broken = self.broken.as_mut().unwrap();
        let medium = SimMedium::new(image.clone(), Fault::From { step: broken.left, kind: broken.kind });
        let done = work(&medium);
        broken.left = broken.left.saturating_sub(medium.steps());
        let is_lossy = broken.is_lossy && done.is_err();
        let after = if is_lossy { self.one_of(&medium) } else { medium.visible() };
        self.disks.insert(uuid, after);
        done.map_err(failed)
    }
}

fn sound(image: &Image) -> SimMedium {
    SimMedium::new(image.clone(), Fault::None)
}

fn failed(source: VolumeError) -> HostError {
    let kind = match source.kind() {
        volume::ErrorKind::WrongKey => HostErrorKind::WrongKey,
        volume::ErrorKind::NotAVolume => HostErrorKind::Absent,
        _ => HostErrorKind::Failed,
    };
    HostError { kind, message: source.to_string(), source: None }
}

impl VolumeHost for SimHost {
    fn create(&self, new: &NewVolume, key: WrappingKey<'_>) -> Result<PathBuf, HostError> {
        let options = CreateOptions { data_offset: 2 << 20, uuid: Some(new.uuid), ..CreateOptions::default() };
        self.change(new.uuid, "create", |medium| volume::create(medium, LEN, &options, key.id, key.key).map(drop))?;
        Ok(PathBuf::from(format!("/volumes/{}", new.uuid)))
    }

    fn open(&self, uuid: Uuid, _name: &str, _offer: Offer, key: WrappingKey<'_>) -> Result<(), HostError> {
        volume::unlock_with_master(&self.medium(uuid)?, LEN, key.id, key.key).map_err(failed)?;
        self.state().open.insert(uuid, ());
        Ok(())
    }

    fn close(&self, uuid: Uuid) -> Result<(), HostError> {
        self.state().open.remove(&uuid);
        Ok(())
    }

    fn grow(&self, uuid: Uuid, _size: u64, _key: WrappingKey<'_>) -> Result<(), HostError> {
        self.medium(uuid).map(drop)
    }

    fn erase(&self, uuid: Uuid) -> Result<(), HostError> {
        self.state().disks.remove(&uuid);
        Ok(())
    }

    fn key_ids(&self, uuid: Uuid) -> Result<Vec<KeyId>, HostError> {
        volume::key_ids(&self.medium(uuid)?).map_err(failed)
    }

    fn rewrap(&self, uuid: Uuid, old: WrappingKey<'_>, new: WrappingKey<'_>) -> Result<(), HostError> {
        self.change(uuid, "rewrap", |medium| {
            volume::rewrap(medium, LEN, (old.id, old.key), (new.id, new.key)).map(drop)
        })
    }

    fn rewrap_open(&self, _uuid: Uuid, _old: KeyId, _new: WrappingKey<'_>) -> Result<(), HostError> {
        unreachable!("the old key is never lost here")
    }

    fn backup_path(&self, uuid: Uuid, id: Uuid) -> PathBuf {
        PathBuf::from(format!("/backups/{uuid}.{id}"))
    }

    fn back_up_header(&self, _uuid: Uuid, _path: &Path) -> Result<(), HostError> {
        unreachable!("nothing is backed up here")
    }

    fn backup_key_ids(&self, _uuid: Uuid, _path: &Path) -> Result<Vec<KeyId>, HostError> {
        unreachable!("nothing is backed up here")
    }

    fn rewrap_backup(
        &self,
        _uuid: Uuid,
        _path: &Path,
        _old: WrappingKey<'_>,
        _new: WrappingKey<'_>,
    ) -> Result<(), HostError> {
        unreachable!("nothing is backed up here")
    }

    fn erase_backup(&self, _uuid: Uuid, _path: &Path) -> Result<(), HostError> {
        unreachable!("nothing is backed up here")
    }

    fn is_open(&self, uuid: Uuid) -> bool {
        self.state().open.contains_key(&uuid)
    }

    fn stats(&self, _uuid: Uuid) -> Option<HostStats> {
        None
    }
}
