//! Backups of headers: files as `cryptsetup luksHeaderBackup` writes them.

use std::fs::{self, DirBuilder};
use std::io::BufWriter;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use ekm_bridge::cluster::{HostError, HostErrorKind, WrappingKey};
use keywrap::keys::KeyId;
use keywrap::volume::{self, DEFAULT_DATA_OFFSET, inspect};
use uuid::Uuid;

use super::error::{ensure, failed, of_file, of_volume};
use crate::backing::{Access, Backing, NewFile};
use crate::volume::Places;

/// A backup has no data behind it; any length that could have some will do.
const DATA_LEN: u64 = DEFAULT_DATA_OFFSET + (1 << 20);

/// Copies the header of `of` to a new file.
pub(super) fn make(of: &Places, path: &Path) -> Result<(), HostError> {
    if let Some(dir) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(failed(format!("{} cannot be made", dir.display())))?;
    }
    let (guard, backing) = NewFile::create(path, 0).map_err(of_file)?;
    let mut out = BufWriter::new(&backing.file);
    volume::backup_header(of.header(), &mut out).map_err(of_volume(path))?;
    drop(out);
    guard.keep(&backing.file).map_err(of_file)
}

/// The keys that it names.
pub(super) fn key_ids(uuid: Uuid, path: &Path) -> Result<Vec<KeyId>, HostError> {
    let backup = open(uuid, path, Access::Read)?;
    volume::key_ids(&backup.file).map_err(of_volume(path))
}

/// Wraps it by `new` in the place of `old`, and reads it back.
pub(super) fn rewrap(uuid: Uuid, path: &Path, old: WrappingKey<'_>, new: WrappingKey<'_>) -> Result<(), HostError> {
    let backup = open(uuid, path, Access::Write)?;
    let of = of_volume(path);
    volume::rewrap(&backup.file, DATA_LEN, (old.id, old.key), (new.id, new.key)).map_err(&of)?;
    backup.file.sync_all().map_err(failed(format!("{} cannot be synced", path.display())))?;
    let again = open(uuid, path, Access::Read)?;
    volume::unlock_with_master(&again.file, DATA_LEN, new.id, new.key).map_err(&of)?;
    let left = volume::key_ids(&again.file).map_err(&of)?;
    let gone = old.id == new.id || !left.contains(&old.id);
    ensure(gone, HostErrorKind::Failed, || format!("{} still names master key {}", path.display(), old.id))
}

/// Destroys its keyslots and removes it.
pub(super) fn erase(uuid: Uuid, path: &Path) -> Result<(), HostError> {
    match open(uuid, path, Access::Write) {
        Ok(backup) => drop(volume::erase(&backup.file).map_err(of_volume(path))?),
        // One that was not made to its end, or whose keyslots went in an earlier call.
        Err(error) if error.kind == HostErrorKind::Absent && Backing::exists(path) => {
            let half = Backing::open(path, Access::Write).map_err(of_file)?;
            half.zero(0, half.len).map_err(of_file)?;
            half.file.sync_all().map_err(failed(format!("{} cannot be synced", path.display())))?;
        }
        Err(error) => return Err(error),
    }
    fs::remove_file(path).map_err(failed(format!("{} cannot be removed; its keys are gone", path.display())))
}

/// Opens a backup of this volume's header; a file of another one is not it.
pub(super) fn open(uuid: Uuid, path: &Path, access: Access) -> Result<Backing, HostError> {
    let backup = Backing::open(path, access).map_err(of_file)?;
    let found = inspect(&backup.file).map_err(of_volume(path))?.uuid;
    let words = || format!("{} is of volume {found}, not of {uuid}", path.display());
    ensure(found == uuid.to_string(), HostErrorKind::Absent, words)?;
    Ok(backup)
}
