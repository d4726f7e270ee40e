//! The files of the volumes: `UUID.sear`, and `UUID.sear.new` while one is being made.
//!
//! A new file gets its name only when its header is on the medium, so a crash leaves a whole volume or a file that the
//! next start removes.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ekm_bridge::cluster::{HostError, HostErrorKind, NewVolume, WrappingKey};
use keywrap::geometry::SectorSize;
use keywrap::volume::{self, CreateOptions, DEFAULT_DATA_OFFSET, ErrorKind};
use uuid::Uuid;

use super::error::{ensure, failed, of_file, of_volume};
use crate::backing::{Access, Backing, NewFile};
use crate::error::Error;

const WHOLE: &str = "sear";
const HALF_MADE: &str = "sear.new";

/// A directory of volumes.
pub(super) struct Files(PathBuf);

impl Files {
    /// The directory, made for its owner alone if it is missing; half-made files are removed.
    pub(super) fn in_dir(dir: PathBuf) -> Result<Self, HostError> {
        match DirBuilder::new().recursive(true).mode(0o700).create(&dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(of_file(Error::io("make", &dir)(error)));
            }
            _ => (),
        }
        let files = Self(dir);
        files.sweep().map_err(|error| of_file(Error::io("tidy", &files.0)(error)))?;
        Ok(files)
    }

    /// The directory.
    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let uuid = name.strip_suffix(HALF_MADE).and_then(|name| name.strip_suffix('.'));
            if uuid.is_some_and(|uuid| Uuid::try_parse(uuid).is_ok()) {
                tracing::warn!(path = %path.display(), "a volume that was not made to its end is removed");
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn path(&self, uuid: Uuid, extension: &str) -> PathBuf {
        self.0.join(format!("{uuid}.{extension}"))
    }

    /// Where the backup `id` of a volume's header would be.
    pub(super) fn backup_path(&self, uuid: Uuid, id: Uuid) -> PathBuf {
        self.0.join("header-backups").join(format!("{uuid}.{id}.luks"))
    }

    /// Makes a volume; one that is there already must be this one.
    pub(super) fn create(&self, new: &NewVolume, key: WrappingKey<'_>) -> Result<PathBuf, HostError> {
        let path = self.path(new.uuid, WHOLE);
        if Backing::exists(&path) {
            return self.check_is(new, key).map(|()| path);
        }
        let half_made = self.path(new.uuid, HALF_MADE);
        // A call that was cut short may have left it.
        let _absent = fs::remove_file(&half_made);
        let len = new.size.checked_add(DEFAULT_DATA_OFFSET).ok_or_else(|| too_large(new.size))?;
        let (guard, backing) = NewFile::create(&half_made, len).map_err(of_file)?;
        volume::create(&backing.file, len, &options(new), key.id, key.key).map_err(of_volume(&path))?;
        guard.keep(&backing.file).map_err(of_file)?;
        fs::rename(&half_made, &path).map_err(failed(format!("{} cannot get its name", path.display())))?;
        self.sync()?;
        Ok(path)
    }

    /// Whether the file that is there is the one to be made, from an earlier call.
    fn check_is(&self, new: &NewVolume, key: WrappingKey<'_>) -> Result<(), HostError> {
        let there = self.look_at(new.uuid)?;
        let opened = volume::unlock_with_master(&there.file, there.len, key.id, key.key);
        let opened = opened.map_err(of_volume(&there.path))?;
        let same = opened.segment.len.0 == new.size;
        ensure(same, HostErrorKind::Failed, || format!("{} is there with another size", there.path.display()))
    }

    /// Opens a volume's file and keeps others from it.
    pub(super) fn open(&self, uuid: Uuid) -> Result<Backing, HostError> {
        let backing = self.reopen(uuid)?;
        backing.claim(Access::Write).map_err(of_file)?;
        Ok(backing)
    }

    /// Opens a file that is claimed by this process already.
    pub(super) fn reopen(&self, uuid: Uuid) -> Result<Backing, HostError> {
        Backing::open(&self.path(uuid, WHOLE), Access::Write).map_err(of_file)
    }

    /// Opens a file to read it.
    pub(super) fn look_at(&self, uuid: Uuid) -> Result<Backing, HostError> {
        Backing::open(&self.path(uuid, WHOLE), Access::Read).map_err(of_file)
    }

    /// Destroys the keyslots of a volume and removes its file; one that is not there is erased already.
    pub(super) fn erase(&self, uuid: Uuid) -> Result<(), HostError> {
        let path = self.path(uuid, WHOLE);
        if !Backing::exists(&path) {
            return self.sync();
        }
        let backing = self.open(uuid)?;
        match volume::erase(&backing.file) {
            Ok(_) => (),
            // The header may have gone in an earlier call, after the keyslots. Or it is damaged and they are there.
            Err(error) if error.kind() == ErrorKind::NotAVolume => clear(&backing)?,
            Err(error) => return Err(of_volume(&path)(error)),
        }
        fs::remove_file(&path).map_err(failed(format!("{} cannot be removed; its keys are gone", path.display())))?;
        self.sync()
    }

    /// Makes names durable.
    fn sync(&self) -> Result<(), HostError> {
        let synced = File::open(&self.0).and_then(|dir| dir.sync_all());
        synced.map_err(failed(format!("{} cannot be synced", self.0.display())))
    }
}

/// Writes over everything before the data.
fn clear(backing: &Backing) -> Result<(), HostError> {
    backing.zero(0, DEFAULT_DATA_OFFSET).map_err(of_file)?;
    backing.file.sync_all().map_err(sync_failed(&backing.path))
}

fn sync_failed(path: &Path) -> impl FnOnce(io::Error) -> HostError {
    failed(format!("{} cannot be synced", path.display()))
}

fn options(new: &NewVolume) -> CreateOptions {
    CreateOptions {
        sector_size: if new.small_sectors { SectorSize::B512 } else { SectorSize::B4096 },
        uuid: Some(new.uuid),
        ..CreateOptions::default()
    }
}

fn too_large(size: u64) -> HostError {
    HostError { kind: HostErrorKind::Full, message: format!("no file holds a volume of {size} bytes"), source: None }
}
