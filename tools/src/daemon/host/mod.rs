//! The data path of the daemon: volumes as files of one directory, all of them offered by one NBD server.
//!
//! ```text
//! create ─▶ DIR/UUID.sear.new ─ header, sync, rename ─▶ DIR/UUID.sear
//! open   ─▶ unlock ─▶ Volume ─▶ Publisher::add ─▶ clients          close ◀─ Publisher::remove (drain, flush)
//! rewrap ─▶ the header alone: I/O goes on
//! ```
//! Each volume has a lock, so calls about different volumes run at the same time. A key lives with an open volume and
//! nowhere else here: closing drops it.

mod backups;
mod error;
mod files;
mod open;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datapath::cipher::dispatch::Engine;
use datapath::export::nbd::{PublishError, Publisher};
use datapath::volume::{Counter, Snapshot};
use ekm_bridge::cluster::{HostError, HostErrorKind, HostStats, NewVolume, Offer, VolumeHost, WrappingKey};
use keywrap::keys::KeyId;
use keywrap::volume;
use uuid::Uuid;

use error::{ensure, failed, of_volume};
use files::Files;
use open::OpenVolume;

/// See the module.
pub(crate) struct FileHost {
    files: Files,
    publisher: Publisher,
    engine: Engine,
    locks: Mutex<HashMap<Uuid, Arc<Mutex<()>>>>,
    /// Held for a look only, never while something is read or written: all volumes share it.
    open: Mutex<HashMap<Uuid, Arc<OpenVolume>>>,
}

impl FileHost {
    /// Volumes in `dir`, which is made if it is missing; what a crash left half-made there is removed.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub(crate) fn new(dir: PathBuf, publisher: Publisher, engine: Engine) -> Result<Self, HostError> {
        let files = Files::in_dir(dir)?;
        Ok(Self { files, publisher, engine, locks: Mutex::default(), open: Mutex::default() })
    }

    /// A volume's lock. There are as many as volumes were ever named, which is few and small.
    fn lock_of(&self, uuid: Uuid) -> Arc<Mutex<()>> {
        Arc::clone(lock(&self.locks).entry(uuid).or_default())
    }

    /// Closes a volume whose lock is held.
    fn close_locked(&self, uuid: Uuid) -> Result<(), HostError> {
        let Some(name) = lock(&self.open).get(&uuid).map(|open| open.name.clone()) else { return Ok(()) };
        let ended = self.publisher.remove(&name);
        let closed = lock(&self.open).remove(&uuid);
        if let (Some(closed), Ok(()) | Err(PublishError::Flush(_))) = (closed, &ended) {
            closed.release();
        }
        ended.map_err(failed(format!("volume {uuid} did not close in order")))
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
        self.close_locked(uuid)?;
        let opened = OpenVolume::open(self.files.open(uuid)?, name, offer, key, self.engine)?;
        self.publisher.add(opened.export(uuid)).map_err(failed(format!("volume {uuid} cannot be exported")))?;
        lock(&self.open).insert(uuid, Arc::new(opened));
        Ok(())
    }

    fn close(&self, uuid: Uuid) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        self.close_locked(uuid)
    }

    fn grow(&self, uuid: Uuid, size: u64, key: WrappingKey<'_>) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let open = lock(&self.open).get(&uuid).cloned();
        if let Some(open) = open {
            return open.grow(size);
        }
        let mut backing = self.files.open(uuid)?;
        open::grow_closed(&mut backing, size, key)
    }

    fn erase(&self, uuid: Uuid) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let words = "the volume is open; close it before it is erased";
        ensure(!self.is_open(uuid), HostErrorKind::InUse, || words.to_owned())?;
        self.files.erase(uuid)
    }

    fn key_ids(&self, uuid: Uuid) -> Result<Vec<KeyId>, HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let header = self.files.look_at(uuid)?;
        volume::key_ids(&header.file).map_err(of_volume(&header.path))
    }

    fn rewrap(&self, uuid: Uuid, old: WrappingKey<'_>, new: WrappingKey<'_>) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        // Our own claim on an open volume keeps everybody else away already.
        let header = if self.is_open(uuid) { self.files.reopen(uuid)? } else { self.files.open(uuid)? };
        let of = of_volume(&header.path);
        volume::rewrap(&header.file, header.len, (old.id, old.key), (new.id, new.key)).map_err(&of)?;
        header.file.sync_all().map_err(failed(format!("volume {uuid} cannot be synced")))?;
        self.verify(uuid, old.id, new)
    }

    fn rewrap_open(&self, uuid: Uuid, old: KeyId, new: WrappingKey<'_>) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let open = lock(&self.open).get(&uuid).cloned();
        let words = || "the volume is not open, and without its master key only an open one can be saved".to_owned();
        let Some(open) = open else {
            return ensure(false, HostErrorKind::Absent, words);
        };
        let header = self.files.reopen(uuid)?;
        open.rewrap(&header, old, new)?;
        header.file.sync_all().map_err(failed(format!("volume {uuid} cannot be synced")))?;
        self.verify(uuid, old, new)
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
        lock(&self.open).get(&uuid).map(|open| total(&open.volume.statistics()))
    }
}

impl FileHost {
    /// What each open volume did, by the name of its export.
    pub(super) fn all_stats(&self) -> Vec<(String, HostStats)> {
        lock(&self.open).values().map(|open| (open.name.clone(), total(&open.volume.statistics()))).collect()
    }

    /// Opens the file once more and unlocks it from there.
    fn verify(&self, uuid: Uuid, old: KeyId, new: WrappingKey<'_>) -> Result<(), HostError> {
        let header = self.files.look_at(uuid)?;
        volume::unlock_with_master(&header.file, header.len, new.id, new.key).map_err(of_volume(&header.path))?;
        let left = volume::key_ids(&header.file).map_err(of_volume(&header.path))?;
        let gone = old == new.id || !left.contains(&old);
        ensure(gone, HostErrorKind::Failed, || format!("volume {uuid} still names master key {old}"))
    }
}

/// What every queue of a volume has counted.
fn total(queues: &[Snapshot]) -> HostStats {
    let sum = |counter| queues.iter().map(|queue| queue.get(counter)).sum::<u64>();
    HostStats {
        read_ops: sum(Counter::Reads),
        read_bytes: sum(Counter::ReadBytes),
        write_ops: sum(Counter::Writes),
        write_bytes: sum(Counter::WrittenBytes),
        unaligned_reads: sum(Counter::UnalignedReads),
        unaligned_writes: sum(Counter::UnalignedWrites),
        // The two are read at different moments.
        in_flight: sum(Counter::Started).saturating_sub(sum(Counter::Ended)),
    }
}

/// A thread that panicked has left nothing half-done behind that a lock here protects.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
