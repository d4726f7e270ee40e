//! Volumes at places of their own, their passphrases and keyslot keys.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use datapath::export::nbd::Uri;
use ekm_bridge::cluster::{
    ChangedPassphrases, Found, HostError, HostErrorKind, HostPlaces, NewPassphrase, NewPlaced, VolumeHost, WrappingKey,
};
use ekm_bridge::records::Site;
use keywrap::geometry::{ByteLen, SectorSize};
use keywrap::keys::KeyslotKey;
use keywrap::secret::SecretBytes;
use keywrap::volume::{self, CreateOptions};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use uuid::Uuid;

use super::error::{ensure, failed, of_file, of_volume};
use super::files::sync_dir;
use super::scope::real;
use super::{FileHost, backups, lock, open};
use crate::backing::{Access, Backing};
use crate::error::Error;
use crate::volume::{Places, Request, VolumePath, change_passphrases, check, make, segment_of, stretch, uuid_of};

impl HostPlaces for FileHost {
    fn place(&self, uuid: Uuid, site: &Site) {
        self.files.place(uuid, site);
    }

    fn check_ground(&self, new: &NewPlaced) -> Result<Site, HostError> {
        let site = lasting(&new.site);
        let at = at(&site);
        self.files.scope.permits_new(&at)?;
        let request = request(new)?;
        check(&at, &request).map_err(of_file)?;
        Ok(site)
    }

    fn create_at(&self, new: &NewPlaced, key: WrappingKey<'_>) -> Result<(), HostError> {
        let one = self.lock_of(new.uuid);
        let _held = lock(&one);
        let at = at(&new.site);
        self.files.scope.permits_new(&at)?;
        let half_made = HalfMade::of(&at, new.uuid);
        half_made.remove()?;
        let write = |places: &Places, options: &CreateOptions| {
            let options = CreateOptions { uuid: Some(new.uuid), ..options.clone() };
            let opened = volume::create(places.header(), places.data.len, &options, key.id, key.key);
            Ok((key.id, opened.map_err(Error::volume(places.header_path()))?))
        };
        make(&half_made.at, &request(new)?, write).map_err(of_file)?;
        half_made.name()
    }

    fn discard(&self, uuid: Uuid) -> Result<(), HostError> {
        self.files.site(uuid).map_or(Ok(()), |site| HalfMade::beside(&at(&site), uuid).remove())
    }

    fn find(&self, site: &Site) -> Result<Found, HostError> {
        let at = at(site);
        self.files.scope.permits_new(&at)?;
        let places = Places::open(&at, Access::Read).map_err(of_file)?;
        let (size, sector_size) = segment_of(&places).map_err(of_file)?;
        Ok(Found {
            site: lasting(site),
            uuid: uuid_of(&places).map_err(of_file)?,
            size,
            sector_size,
            keys: volume::key_ids(places.header()).map_err(of_volume(places.header_path()))?,
        })
    }

    fn is_same_place(&self, one: &Site, other: &Site) -> bool {
        let [one, other] = [one, other].map(|site| (real(&site.data), site.header.as_deref().map(real)));
        one == other
    }

    fn adopt(&self, uuid: Uuid, passphrase: &SecretBytes, key: WrappingKey<'_>) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let places = self.to_change(uuid)?;
        let adopted = volume::adopt(places.header(), places.data.len, passphrase, key.id, key.key);
        adopted.map_err(of_volume(places.header_path()))?;
        places.sync_header().map_err(of_file)
    }

    fn add_passphrase(
        &self,
        uuid: Uuid,
        key: WrappingKey<'_>,
        new: &NewPassphrase,
    ) -> Result<ChangedPassphrases, HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let places = self.to_change(uuid)?;
        let opened = open::unlock(&places, key)?;
        let kdf = stretch(new.pbkdf2);
        let changed = change_passphrases(&places, &opened.volume_key, &new.passphrase, kdf, new.replaces);
        let (keyslot, removed) = changed.map_err(of_file)?;
        places.sync_header().map_err(of_file)?;
        Ok(ChangedPassphrases { keyslot, removed })
    }

    fn keyslot_key(&self, uuid: Uuid, key: WrappingKey<'_>) -> Result<KeyslotKey, HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let places = self.files.look_at(uuid)?;
        volume::keyslot_key(places.header(), key.id, key.key).map_err(of_volume(places.header_path()))
    }

    fn restore_header(&self, uuid: Uuid, backup: &Path, force: bool) -> Result<(), HostError> {
        let one = self.lock_of(uuid);
        let _held = lock(&one);
        let words = "the volume is open; its header is restored while nobody is served";
        ensure(!self.is_open(uuid), HostErrorKind::InUse, || words.to_owned())?;
        let saved = backups::open(uuid, backup, Access::Read)?;
        let places = if force { self.files.whatever_is_at(uuid)? } else { self.files.open(uuid)? };
        let restored = volume::restore_header(&saved.file, places.header(), places.data.len, force);
        restored.map_err(of_volume(places.header_path()))?;
        places.sync_header().map_err(of_file)
    }

    fn is_present(&self, uuid: Uuid) -> bool {
        let at = self.files.at(uuid);
        Backing::exists(&at.path) && at.header.as_deref().is_none_or(Backing::exists)
    }

    fn size(&self, uuid: Uuid) -> Option<u64> {
        lock(&self.open).get(&uuid).map(|open| open.volume.geometry().len.0)
    }

    fn uris(&self, export: &str) -> Vec<String> {
        let uri = |listens: &Uri| Uri { export: export.to_owned(), ..listens.clone() }.to_string();
        self.surroundings.listens.iter().map(uri).collect()
    }
}

/// A place as it is remembered: of a file without symbolic links; of a block device the link stays, as the kernel may call
/// the device something else after the next boot.
fn lasting(site: &Site) -> Site {
    let lasting = |path: &Path| {
        let is_device = fs::metadata(path).is_ok_and(|data| data.file_type().is_block_device());
        if is_device { path.to_owned() } else { real(path) }
    };
    Site { data: lasting(&site.data), header: site.header.as_deref().map(lasting) }
}

fn at(site: &Site) -> VolumePath {
    VolumePath { path: site.data.clone(), header: site.header.clone() }
}

fn request(new: &NewPlaced) -> Result<Request, HostError> {
    let sector_size = new.sector_size.and_then(|bytes| SectorSize::try_from(bytes).ok());
    let fits = new.sector_size.is_none() || sector_size.is_some();
    ensure(fits, HostErrorKind::Unfit, || "there is no such sector size".to_owned())?;
    Ok(Request { size: new.size.map(ByteLen), sector_size, label: new.label.clone(), force: new.overwrite })
}

/// A volume that is being made: new files have names of their own until its header is on the medium.
struct HalfMade {
    /// Where it is made.
    at: VolumePath,
    /// What is renamed at the end, the data before the header: a header is there only when all of its volume is.
    names: Vec<(PathBuf, PathBuf)>,
}

impl HalfMade {
    /// What is there already is used in place.
    fn of(at: &VolumePath, uuid: Uuid) -> Self {
        let mut names = Vec::new();
        let mut while_made = |path: &Path| {
            if Backing::exists(path) {
                return path.to_owned();
            }
            let half_made = half_made_name(path, uuid);
            names.push((half_made.clone(), path.to_owned()));
            half_made
        };
        let (path, header) = (while_made(&at.path), at.header.as_deref().map(&mut while_made));
        Self { at: VolumePath { path, header }, names }
    }

    /// Whatever may have been left of it.
    fn beside(at: &VolumePath, uuid: Uuid) -> Self {
        let both = [Some(&at.path), at.header.as_ref()].into_iter().flatten();
        let names = both.map(|path| (half_made_name(path, uuid), path.clone())).collect();
        Self { at: at.clone(), names }
    }

    fn remove(&self) -> Result<(), HostError> {
        for (half_made, _) in self.names.iter().filter(|(half_made, _)| Backing::exists(half_made)) {
            fs::remove_file(half_made).map_err(failed(format!("{} cannot be removed", half_made.display())))?;
        }
        Ok(())
    }

    /// Gives the files their names, unless others have got those meanwhile.
    fn name(&self) -> Result<(), HostError> {
        for (half_made, name) in &self.names {
            rename_new(half_made, name).map_err(failed(format!("{} cannot get its name", name.display())))?;
            name.parent().map_or(Ok(()), sync_dir)?;
        }
        Ok(())
    }
}

fn half_made_name(path: &Path, uuid: Uuid) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{uuid}.new"));
    PathBuf::from(name)
}

/// Renames where nothing is in the way, also on a filesystem that cannot look and rename in one step.
fn rename_new(from: &Path, to: &Path) -> std::io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) if !Backing::exists(to) => fs::rename(from, to),
        outcome => Ok(outcome?),
    }
}
