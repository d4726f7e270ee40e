//! Makes a volume where there is none. The order keeps every crash harmless: the master key is durable before a header
//! needs it, the header is durable before the registry names it, and on failure only what was made here is removed.

use clap::Args;
use ekm_bridge::KeyProvider;
use keywrap::geometry::{ByteLen, SectorSize};
use keywrap::keys::KeyId;
use keywrap::medium::Medium;
use keywrap::volume::{self, CreateOptions, Opened};

use super::places::{Places, Situation, VolumePath};
use super::record::Volume;
use crate::backing::{Access, Backing, NewFile};
use crate::error::Error;
use crate::parse;
use crate::state::State;

/// Room for both header copies and all keyslots, as cryptsetup keeps by default.
const HEADER_LEN: u64 = 16 << 20;
/// Backup tables and RAID superblocks at the end are cleared by `--force` too, as far as this.
const TAIL_LEN: u64 = 1 << 20;

/// Arguments for a new volume.
#[derive(Args, Clone, Debug)]
pub(crate) struct Request {
    /// Usable size of a new volume, as in 512M, 1G, 2T (powers of 1024); a file is made larger by its 16 MiB header
    #[arg(long, value_name = "SIZE", value_parser = parse::size)]
    pub(crate) size: Option<ByteLen>,
    /// Encryption sector size of a new volume: 512, 1024, 2048 or 4096 bytes [default: 4096]
    #[arg(long, value_name = "BYTES", value_parser = parse::sector_size)]
    pub(crate) sector_size: Option<SectorSize>,
    /// Label of a new volume, shown by blkid and inspect
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: Option<String>,
    /// Destroy what is there
    #[arg(long)]
    pub(crate) force: bool,
}

impl Request {
    pub(crate) fn sector(&self) -> SectorSize {
        self.sector_size.unwrap_or(SectorSize::B4096)
    }

    /// Where the data begins.
    fn offset(at: &VolumePath) -> u64 {
        if at.header.is_some() { 0 } else { HEADER_LEN }
    }

    fn options(&self, offset: u64) -> CreateOptions {
        CreateOptions {
            sector_size: self.sector(),
            data_offset: offset,
            label: self.label.clone(),
            overwrite: self.force,
            ..CreateOptions::default()
        }
    }

    /// Checks what was asked for against a volume that exists already.
    ///
    /// # Errors
    /// When a size or sector size is given that is not the volume's.
    pub(crate) fn check_matches(&self, volume: &Volume) -> Result<(), Error> {
        let path = volume.places.data.path.clone();
        let segment = &volume.opened.segment;
        if let Some(asked) = self.size.filter(|asked| *asked != segment.len) {
            return Err(Error::SizeDiffers { path, asked, found: segment.len });
        }
        match self.sector_size.filter(|asked| *asked != segment.sector_size) {
            Some(asked) => {
                let (asked, found) = (asked.bytes(), segment.sector_size.bytes());
                Err(Error::SectorSizeDiffers { path, asked, found })
            }
            None => Ok(()),
        }
    }

    /// The usable size that was asked for, checked to be whole sectors.
    fn even_size(&self) -> Result<Option<u64>, Error> {
        let sector = self.sector().bytes();
        match self.size {
            Some(asked) if !asked.0.is_multiple_of(u64::from(sector)) => Err(Error::SizeUneven { asked, sector }),
            size => Ok(size.map(|size| size.0)),
        }
    }
}

/// Makes a volume and opens it. The registry is the caller's.
///
/// # Errors
/// When something is there and `force` is not given, when there is no size to make a file with, or when a key, file or
/// header cannot be made.
pub(crate) fn create(state: &State, at: &VolumePath, request: &Request) -> Result<Volume, Error> {
    make(at, request, |places, options| {
        let (key_id, master) = state.node().provider().current_key()?;
        let opened = volume::create(places.header(), places.data.len, options, key_id, &master);
        Ok((key_id, opened.map_err(Error::volume(places.header_path()))?))
    })
}

/// Whether a volume can be made there. Nothing is changed.
///
/// # Errors
/// As [`create`].
pub(crate) fn check(at: &VolumePath, request: &Request) -> Result<(), Error> {
    let size = request.even_size()?;
    let ground = Ground::inspect(&at.path, request.force)?;
    at.header.as_deref().map_or(Ok(()), |path| Ground::inspect(path, request.force).map(drop))?;
    if matches!(ground, Ground::Nothing) {
        return size.map(drop).ok_or_else(|| Error::SizeNeeded { path: at.path.clone() });
    }
    let backing = Backing::open(&at.path, Access::Read)?;
    if backing.len == 0 {
        return size.map(drop).ok_or_else(|| Error::SizeNeeded { path: at.path.clone() });
    }
    check_size(&backing, size, Request::offset(at))
}

/// Makes a volume whose header `write` writes.
///
/// # Errors
/// As [`create`].
pub(crate) fn make(
    at: &VolumePath,
    request: &Request,
    write: impl FnOnce(&Places, &CreateOptions) -> Result<(KeyId, Opened), Error>,
) -> Result<Volume, Error> {
    let size = request.even_size()?;
    let offset = Request::offset(at);
    // Both places are looked at before either is touched.
    let data_ground = Ground::inspect(&at.path, request.force)?;
    let header_ground = at.header.as_deref().map(|path| Ground::inspect(path, request.force)).transpose()?;
    let (data_made, data) = data_ground.prepare(at, size, offset)?;
    let header = match (&at.header, header_ground) {
        (Some(path), Some(ground)) => Some(ground.prepare_header(path)?),
        _ => None,
    };
    let (header_made, header) = header.unzip();
    let places = Places { data, header };
    let (key_id, opened) = write(&places, &request.options(offset))?;
    for (guard, backing) in [(data_made, Some(&places.data)), (header_made.flatten(), places.header.as_ref())] {
        if let (Some(guard), Some(backing)) = (guard, backing) {
            guard.keep(&backing.file)?;
        }
    }
    Ok(Volume { places, key_id, opened })
}

/// What a new volume is put on.
enum Ground {
    Nothing,
    Blank,
    Cleared,
}

impl Ground {
    fn inspect(path: &std::path::Path, force: bool) -> Result<Self, Error> {
        match Situation::at(path)? {
            Situation::Missing => Ok(Self::Nothing),
            Situation::Blank => Ok(Self::Blank),
            Situation::Luks2 | Situation::Occupied(_) if force => Ok(Self::Cleared),
            Situation::Luks2 => Err(Error::AlreadyAVolume { path: path.to_owned() }),
            Situation::Occupied(findings) => Err(Error::Occupied { path: path.to_owned(), findings }),
        }
    }

    /// Makes or opens the data's backing with room for `size` bytes behind `offset`.
    fn prepare(self, at: &VolumePath, size: Option<u64>, offset: u64) -> Result<(Option<NewFile>, Backing), Error> {
        let path = &at.path;
        let needed = || size.map(|size| size.saturating_add(offset));
        let (guard, mut backing) = match self {
            Self::Nothing => {
                let len = needed().ok_or_else(|| Error::SizeNeeded { path: path.clone() })?;
                let (guard, backing) = NewFile::create(path, len)?;
                (Some(guard), backing)
            }
            Self::Blank | Self::Cleared => (None, Backing::open(path, Access::Write)?),
        };
        backing.claim(Access::Write)?;
        if backing.len == 0 {
            backing.grow(needed().ok_or_else(|| Error::SizeNeeded { path: path.clone() })?)?;
        }
        check_size(&backing, size, offset)?;
        if matches!(self, Self::Cleared) {
            clear(&backing)?;
        }
        Ok((guard, backing))
    }

    fn prepare_header(self, path: &std::path::Path) -> Result<(Option<NewFile>, Backing), Error> {
        if matches!(self, Self::Nothing) {
            let (guard, backing) = NewFile::create(path, HEADER_LEN)?;
            return Ok((Some(guard), backing));
        }
        let mut backing = Backing::open(path, Access::Write)?;
        backing.claim(Access::Write)?;
        if backing.len == 0 {
            backing.grow(HEADER_LEN)?;
        }
        if matches!(self, Self::Cleared) {
            clear(&backing)?;
        }
        Ok((None, backing))
    }
}

fn check_size(backing: &Backing, size: Option<u64>, offset: u64) -> Result<(), Error> {
    let path = backing.path.clone();
    let found = backing.len.saturating_sub(offset);
    if found == 0 {
        return Err(Error::TooSmall { path, found: ByteLen(backing.len), needed: ByteLen(offset) });
    }
    match size {
        Some(asked) if asked != found => Err(Error::SizeDiffers { path, asked: ByteLen(asked), found: ByteLen(found) }),
        _ => Ok(()),
    }
}

/// Clears the places where signatures live, so that nothing recognises the old content any more.
fn clear(backing: &Backing) -> Result<(), Error> {
    backing.zero(0, HEADER_LEN)?;
    backing.zero(backing.len.saturating_sub(TAIL_LEN), TAIL_LEN)?;
    Medium::sync(&backing.file).map_err(Error::io("sync", &backing.path))
}
