//! A data path whose headers are real, on media that lose, tear and reorder what was not synced.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use ekm_bridge::cluster::{HostError, HostErrorKind, HostStats, NewVolume, Offer, VolumeHost, WrappingKey};
use keywrap::keys::KeyId;
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
    /// Chooses among what a power cut may leave.
    seed: u64,
}

impl SimHost {
    pub(crate) fn new(plug: Plug, seed: u64) -> Self {
        Self { state: Arc::new(Mutex::new(State { disks: BTreeMap::new(), open: BTreeMap::new(), seed })), plug }
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
        let medium = SimMedium::new(image, Fault::PowerCut { step: left });
        let done = work(&medium);
        let is_cut = medium.steps() > left;
        for step in 0..medium.steps().min(left.saturating_add(1)) {
            self.plug.step(format!("volume: {what}, write or sync {step}"));
        }
        let after = if is_cut {
            let images = medium.after_power_cut();
            state.seed = state.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let chosen = usize::try_from(state.seed >> 33).unwrap() % images.len();
            images[chosen].1.clone()
        } else {
            medium.visible()
        };
        state.disks.insert(uuid, after);
        done.map_err(|source| {
            let kind = match source.kind() {
                volume::ErrorKind::WrongKey => HostErrorKind::WrongKey,
                _ => HostErrorKind::Failed,
            };
            HostError { kind, message: source.to_string(), source: None }
        })
    }

    fn medium(&self, uuid: Uuid) -> Result<SimMedium, HostError> {
        let absent = || HostError { kind: HostErrorKind::Absent, message: "no such volume".into(), source: None };
        self.state().disks.get(&uuid).map(sound).ok_or_else(absent)
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
