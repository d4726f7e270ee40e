//! The data path of the daemon: volumes as files of one directory, or at places of their own, all of them offered by one
//! NBD server.
//!
//! ```text
//! place  ─▶ it lies there, and not in DIR                             create_at ─▶ PATH.UUID.new ─ header, sync ─▶ PATH
//! create ─▶ DIR/UUID.sear.new ─ header, sync, rename ─▶ DIR/UUID.sear
//! open   ─▶ unlock ─▶ Volume ─▶ Publisher::add ─▶ clients          close ◀─ Publisher::remove (drain, flush)
//! rewrap ─▶ the header alone: I/O goes on
//! ```
//! Each volume has a lock, so calls about different volumes run at the same time. A key lives with an open volume and
//! nowhere else here: closing drops it.

mod backups;
mod counts;
mod error;
mod files;
mod open;
mod placed;
mod scope;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datapath::cipher::dispatch::Engine;
use datapath::export::nbd::{PublishError, Publisher, Uri};
use ekm_bridge::cluster::{HostError, HostErrorKind, HostStats, NewVolume, Offer, VolumeHost, WrappingKey};
use keywrap::keys::KeyId;
use keywrap::volume;
use uuid::Uuid;

use crate::lock::{Purpose, VolumeLock};
use crate::volume::Places;

pub(super) use counts::Counts;
use error::{ensure, failed, of_file, of_volume};
use files::Files;
use open::OpenVolume;
pub(super) use scope::Scope;

/// See the module.
pub(crate) struct FileHost {
    files: Files,
    publisher: Publisher,
    engine: Engine,
    surroundings: Surroundings,
    locks: Mutex<HashMap<Uuid, Arc<Mutex<()>>>>,
    /// Held for a look only, never while something is read or written: all volumes share it.
    open: Mutex<HashMap<Uuid, Arc<OpenVolume>>>,
    /// What volumes did before they were opened last, and under which name.
    earlier: Mutex<HashMap<Uuid, (String, Counts)>>,
}

/// What a data path is surrounded by.
#[derive(Default)]
pub(crate) struct Surroundings {
    /// Where sockets and locks are.
    pub(crate) run_dir: PathBuf,
    /// Where the NBD server listens.
    pub(crate) listens: Vec<Uri>,
}

impl FileHost {
    /// Volumes in `dir`, which is made if it is missing; what a crash left half-made there is removed. Others lie where
    /// `scope` permits it.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub(crate) fn new(
        (dir, scope): (PathBuf, Scope),
        publisher: Publisher,
        engine: Engine,
        surroundings: Surroundings,
    ) -> Result<Self, HostError> {
        let files = Files::in_dir(dir, scope)?;
        Ok(Self {
            files,
            publisher,
            engine,
            surroundings,
            locks: Mutex::default(),
            open: Mutex::default(),
            earlier: Mutex::default(),
        })
    }

    /// A volume's lock. There are as many as volumes were ever named, which is few and small.
    fn lock_of(&self, uuid: Uuid) -> Arc<Mutex<()>> {
        Arc::clone(lock(&self.locks).entry(uuid).or_default())
    }

    /// It is open no more; what it did is among what was done earlier from the same moment on.
    fn take_out(&self, uuid: Uuid) -> Option<Arc<OpenVolume>> {
        let (mut open, mut earlier) = (lock(&self.open), lock(&self.earlier));
        let closed = open.remove(&uuid)?;
        let before = earlier.remove(&uuid).map(|(_, before)| before).unwrap_or_default();
        earlier.insert(uuid, (closed.name.clone(), closed.counts().after(&before)));
        Some(closed)
    }

    /// Closes a volume whose lock is held. What it did since the control plane had it opened.
    fn close_locked(&self, uuid: Uuid) -> Result<Counts, HostError> {
        let Some(name) = lock(&self.open).get(&uuid).map(|open| open.name.clone()) else {
            return Ok(Counts::default());
        };
        let ended = self.publisher.remove(&name);
        let Some(closed) = self.take_out(uuid) else { return Ok(Counts::default()) };
        if let Ok(()) | Err(PublishError::Flush(_)) = &ended {
            closed.release();
        }
        ended.map_err(failed(format!("volume {uuid} did not close in order")))?;
        Ok(closed.counts().after(&closed.carried))
    }
}

impl VolumeHost for FileHost {
    fn create(&self, new: &NewVolume, key: WrappingKey<'_>) -> Result<PathBuf, HostError> {
        let one = self.lock_of(new.uuid);
        let _held = lock(&one);
        self.files.create(new, key)
    }

    fn open(&self, uuid: Uuid, name: &str, offer: Offer, key: WrappingKey<'_>) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        if lock(&self.open).get(&uuid).is_some_and(|open| open.is(name, offer)) {
            return Ok(());
        }
        // Offered in another way, it goes on counting.
        let carried = self.close_locked(uuid)?;
        let (places, alone) = (self.files.open(uuid)?, self.keep_others_away(uuid)?);
        let opened = OpenVolume::open(places, alone, name, offer, key, (self.engine, carried))?;
        self.publisher.add(opened.export(uuid)).map_err(failed(format!("volume {uuid} cannot be exported")))?;
        lock(&self.open).insert(uuid, Arc::new(opened));
        Ok(())
    }

    fn close(&self, uuid: Uuid) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        self.close_locked(uuid).map(drop)
    }

    fn grow(&self, uuid: Uuid, size: u64, key: WrappingKey<'_>) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let open = lock(&self.open).get(&uuid).cloned();
        if let Some(open) = open {
            return open.grow(size);
        }
        open::grow_closed(&self.files.open(uuid)?, size, key)
    }

    fn erase(&self, uuid: Uuid) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let words = "the volume is open; close it before it is erased";
        ensure(!self.is_open(uuid), HostErrorKind::InUse, || words.to_owned())?;
        lock(&self.earlier).remove(&uuid);
        self.files.erase(uuid)
    }

    fn key_ids(&self, uuid: Uuid) -> Result<Vec<KeyId>, HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let places = self.files.look_at(uuid)?;
        volume::key_ids(places.header()).map_err(of_volume(places.header_path()))
    }

    fn rewrap(&self, uuid: Uuid, old: WrappingKey<'_>, new: WrappingKey<'_>) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let open = lock(&self.open).get(&uuid).cloned();
        match open {
            // Our own claim on it keeps everybody else away already, and its data key is at hand.
            Some(open) => open.rewrap(&self.files.reopen(uuid)?, (old.id, Some(old.key)), new),
            None => {
                let places = self.files.open(uuid)?;
                let (from, to) = ((old.id, old.key), (new.id, new.key));
                volume::rewrap(places.header(), places.data.len, from, to)
                    .map(drop)
                    .map_err(of_volume(places.header_path()))
            }
        }
    }

    fn rewrap_open(&self, uuid: Uuid, old: KeyId, new: WrappingKey<'_>) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let open = lock(&self.open).get(&uuid).cloned();
        let words = || "the volume is not open, and without its master key only an open one can be saved".to_owned();
        let Some(open) = open else {
            return ensure(false, HostErrorKind::Absent, words);
        };
        open.rewrap(&self.files.reopen(uuid)?, (old, None), new)
    }

    fn backup_path(&self, uuid: Uuid, id: Uuid) -> PathBuf {
        self.files.backup_path(uuid, id)
    }

    fn back_up_header(&self, uuid: Uuid, path: &Path) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        backups::make(&self.files.look_at(uuid)?, path)
    }

    fn backup_key_ids(&self, uuid: Uuid, path: &Path) -> Result<Vec<KeyId>, HostError> {
        backups::key_ids(uuid, path)
    }

    fn rewrap_backup(
        &self,
        uuid: Uuid,
        path: &Path,
        old: WrappingKey<'_>,
        new: WrappingKey<'_>,
    ) -> Result<(), HostError> {
        backups::rewrap(uuid, path, old, new)
    }

    fn erase_backup(&self, uuid: Uuid, path: &Path) -> Result<(), HostError> {
        backups::erase(uuid, path)
    }

    fn is_open(&self, uuid: Uuid) -> bool {
        lock(&self.open).contains_key(&uuid)
    }

    fn stats(&self, uuid: Uuid) -> Option<HostStats> {
        lock(&self.open).get(&uuid).map(|open| open.counts().after(&open.carried).stats)
    }
}

impl FileHost {
    /// What each volume did since this process began, by the name of its export.
    pub(super) fn all_counts(&self) -> Vec<(String, Counts)> {
        // Both at once, and in this order: what is being closed is in one of the two.
        let (open, mut counts) = (lock(&self.open), lock(&self.earlier).clone());
        for (uuid, open) in open.iter() {
            let (_, before) = counts.remove(uuid).unwrap_or_default();
            counts.insert(*uuid, (open.name.clone(), open.counts().after(&before)));
        }
        counts.into_values().collect()
    }

    /// Opens a volume's files to change its header. Our own claim on an open volume keeps everybody else away already.
    fn to_change(&self, uuid: Uuid) -> Result<Places, HostError> {
        if self.is_open(uuid) { self.files.reopen(uuid) } else { self.files.open(uuid) }
    }

    /// A server that this node runs for one volume alone holds this lock, also where files cannot be claimed.
    fn keep_others_away(&self, uuid: Uuid) -> Result<Option<VolumeLock>, HostError> {
        if self.files.site(uuid).is_none() {
            return Ok(None);
        }
        VolumeLock::take(&self.surroundings.run_dir, uuid, Purpose::Serve).map(Some).map_err(of_file)
    }
}

/// A thread that panicked has left nothing half-done behind that a lock here protects.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
