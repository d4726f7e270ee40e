//! The files of the volumes: `UUID.sear` in the data directory, `UUID.sear.new` while one is being made, or wherever the
//! control plane says that a volume lies.
//!
//! A new file gets its name only when its header is on the medium, so a crash leaves a whole volume or a file that the
//! next start removes.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ekm_bridge::cluster::{HostError, HostErrorKind, NewVolume, WrappingKey};
use ekm_bridge::records::Site;
use keywrap::geometry::SectorSize;
use keywrap::volume::{self, CreateOptions, DEFAULT_DATA_OFFSET, ErrorKind};
use uuid::Uuid;

use super::error::{ensure, failed, of_file, of_volume};
use super::lock;
use super::scope::Scope;
use crate::backing::{Access, Backing, NewFile};
use crate::error::Error;
use crate::volume::{Places, VolumePath, uuid_of};

const WHOLE: &str = "sear";
const HALF_MADE: &str = "sear.new";

/// A directory of volumes, and the places of those that lie elsewhere.
pub(super) struct Files {
    dir: PathBuf,
    sites: Mutex<HashMap<Uuid, Site>>,
    /// What this process may use.
    pub(super) scope: Scope,
}

impl Files {
    /// The directory, made for its owner alone if it is missing; half-made files are removed.
    pub(super) fn in_dir(dir: PathBuf, scope: Scope) -> Result<Self, HostError> {
        match DirBuilder::new().recursive(true).mode(0o700).create(&dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(of_file(Error::io("make", &dir)(error)));
            }
            _ => (),
        }
        let files = Self { dir, sites: Mutex::default(), scope };
        files.sweep().map_err(|error| of_file(Error::io("tidy", &files.dir)(error)))?;
        Ok(files)
    }

    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
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

    /// A volume lies there from now on.
    pub(super) fn place(&self, uuid: Uuid, site: &Site) {
        lock(&self.sites).insert(uuid, site.clone());
    }

    /// Where a volume lies, when that is not the data directory.
    pub(super) fn site(&self, uuid: Uuid) -> Option<Site> {
        lock(&self.sites).get(&uuid).cloned()
    }

    /// Where a volume lies.
    pub(super) fn at(&self, uuid: Uuid) -> VolumePath {
        match self.site(uuid) {
            Some(Site { data, header }) => VolumePath { path: data, header },
            None => VolumePath { path: self.path(uuid, WHOLE), header: None },
        }
    }

    fn path(&self, uuid: Uuid, extension: &str) -> PathBuf {
        self.dir.join(format!("{uuid}.{extension}"))
    }

    /// Where the backup `id` of a volume's header would be.
    pub(super) fn backup_path(&self, uuid: Uuid, id: Uuid) -> PathBuf {
        self.dir.join("header-backups").join(format!("{uuid}.{id}.luks"))
    }

    /// Makes a volume in the data directory; one that is there already must be this one.
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
        let opened = volume::unlock_with_master(there.header(), there.data.len, key.id, key.key);
        let opened = opened.map_err(of_volume(there.header_path()))?;
        let same = opened.segment.len.0 == new.size;
        ensure(same, HostErrorKind::Failed, || format!("{} is there with another size", there.data.path.display()))
    }

    /// Opens a volume's files and keeps others from them.
    pub(super) fn open(&self, uuid: Uuid) -> Result<Places, HostError> {
        let places = self.whatever_is_at(uuid)?;
        self.check_holds(&places, uuid)?;
        Ok(places)
    }

    /// The same, whichever header is there, if any.
    pub(super) fn whatever_is_at(&self, uuid: Uuid) -> Result<Places, HostError> {
        let at = self.permitted(uuid)?;
        let places = Places::at(&at, Access::Write).map_err(of_file)?;
        places.claim(Access::Write).map_err(of_file)?;
        Ok(places)
    }

    /// Opens files that are claimed by this process already.
    pub(super) fn reopen(&self, uuid: Uuid) -> Result<Places, HostError> {
        let places = Places::again(&self.permitted(uuid)?, Access::Write).map_err(of_file)?;
        self.check_holds(&places, uuid)?;
        Ok(places)
    }

    /// Opens files to read them.
    pub(super) fn look_at(&self, uuid: Uuid) -> Result<Places, HostError> {
        let places = Places::at(&self.permitted(uuid)?, Access::Read).map_err(of_file)?;
        self.check_holds(&places, uuid)?;
        Ok(places)
    }

    fn permitted(&self, uuid: Uuid) -> Result<VolumePath, HostError> {
        let at = self.at(uuid);
        // The data directory is permitted always.
        self.site(uuid).map_or(Ok(()), |_| self.scope.permits_all(&at))?;
        Ok(at)
    }

    /// Whether it is this volume: at a place of its own there may be another one by now.
    fn check_holds(&self, places: &Places, uuid: Uuid) -> Result<(), HostError> {
        if self.site(uuid).is_none() {
            return Ok(());
        }
        let found = uuid_of(places).map_err(of_file)?;
        let words = || format!("{} holds volume {found} and not {uuid}", places.header_path().display());
        ensure(found == uuid, HostErrorKind::Absent, words)
    }

    /// Destroys the keyslots of a volume, and removes its file from the data directory; one that is not there is erased
    /// already. What lies elsewhere stays, and has to be there.
    pub(super) fn erase(&self, uuid: Uuid) -> Result<(), HostError> {
        if self.site(uuid).is_some() {
            return self.erase_in_place(uuid);
        }
        let path = self.path(uuid, WHOLE);
        if !Backing::exists(&path) {
            return self.sync();
        }
        let places = self.open(uuid)?;
        match volume::erase(places.header()) {
            Ok(_) => (),
            // The header may have gone in an earlier call, after the keyslots. Or it is damaged and they are there.
            Err(error) if error.kind() == ErrorKind::NotAVolume => clear(&places.data)?,
            Err(error) => return Err(of_volume(&path)(error)),
        }
        fs::remove_file(&path).map_err(failed(format!("{} cannot be removed; its keys are gone", path.display())))?;
        self.sync()
    }

    /// Where no header is left, an earlier call has erased it. What else is there is not ours.
    fn erase_in_place(&self, uuid: Uuid) -> Result<(), HostError> {
        let places = self.whatever_is_at(uuid)?;
        let is_gone = |kind| kind == ErrorKind::NotAVolume;
        if volume::inspect(places.header()).is_err_and(|error| is_gone(error.kind())) {
            return Ok(());
        }
        self.check_holds(&places, uuid)?;
        volume::erase(places.header()).map(drop).map_err(of_volume(places.header_path()))
    }

    /// Makes names durable.
    fn sync(&self) -> Result<(), HostError> {
        sync_dir(&self.dir)
    }
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), HostError> {
    let synced = File::open(dir).and_then(|dir| dir.sync_all());
    synced.map_err(failed(format!("{} cannot be synced", dir.display())))
}

/// Writes over everything before the data.
fn clear(backing: &Backing) -> Result<(), HostError> {
    backing.zero(0, DEFAULT_DATA_OFFSET).map_err(of_file)?;
    backing.file.sync_all().map_err(failed(format!("{} cannot be synced", backing.path.display())))
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
