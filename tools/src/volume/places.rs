//! Where a volume lies: data on one backing, its header in front or on a second one.

use std::path::{Path, PathBuf};

use clap::Args;
use keywrap::medium::Medium;

use crate::backing::{Access, Backing};
use crate::error::Error;
use crate::probe::{self, Finding};

/// Arguments that name a volume.
#[derive(Args, Clone, Debug)]
pub(crate) struct VolumePath {
    /// The file or block device that holds the encrypted data
    pub(crate) path: PathBuf,
    /// The header is in FILE, apart from the data
    #[arg(long, value_name = "FILE")]
    pub(crate) header: Option<PathBuf>,
}

/// What is at a place where a volume is wanted.
#[derive(Debug)]
pub(crate) enum Situation {
    /// Nothing: the file can be made.
    Missing,
    /// A file or device without content: a volume can be made in place.
    Blank,
    /// A LUKS2 header.
    Luks2,
    /// Something else.
    Occupied(Vec<Finding>),
}

impl Situation {
    /// Looks, without changing anything.
    ///
    /// # Errors
    /// When the backing cannot be opened or read.
    pub(crate) fn at(path: &Path) -> Result<Self, Error> {
        if !Backing::exists(path) {
            return Ok(Self::Missing);
        }
        let backing = Backing::open(path, Access::Read)?;
        let examined = || -> std::io::Result<Self> {
            if probe::has_luks2(&backing.file)? {
                return Ok(Self::Luks2);
            }
            let findings = probe::examine(&backing.file)?;
            Ok(if findings.is_empty() { Self::Blank } else { Self::Occupied(findings) })
        };
        examined().map_err(Error::io("read", path))
    }
}

/// A volume's open backings.
#[derive(Debug)]
pub(crate) struct Places {
    /// The encrypted data.
    pub(crate) data: Backing,
    /// The header, where it is detached.
    pub(crate) header: Option<Backing>,
}

impl Places {
    /// Opens a volume's backings, whatever they hold.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub(crate) fn at(volume: &VolumePath, access: Access) -> Result<Self, Error> {
        let data = Backing::open(&volume.path, access)?;
        let header = volume.header.as_deref().map(|path| Backing::open(path, access)).transpose()?;
        Ok(Self { data, header })
    }

    /// Opens an existing volume's backings.
    ///
    /// # Errors
    /// When one cannot be opened, or the header's place holds no LUKS2 header.
    pub(crate) fn open(volume: &VolumePath, access: Access) -> Result<Self, Error> {
        let places = Self::at(volume, access)?;
        let path = places.header_path();
        if !probe::has_luks2(places.header()).map_err(Error::io("read", path))? {
            return Err(Error::NotAVolume { path: path.to_owned() });
        }
        Ok(places)
    }

    /// Opens the backings once more that this process has open already.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub(crate) fn again(volume: &VolumePath, access: Access) -> Result<Self, Error> {
        let data = Backing::open_again(&volume.path, access)?;
        let header = volume.header.as_deref().map(|path| Backing::open_again(path, access)).transpose()?;
        Ok(Self { data, header })
    }

    /// Keeps others from the backings until they are closed; see [`Backing::claim`].
    ///
    /// # Errors
    /// When someone else has claimed one.
    pub(crate) fn claim(&self, access: Access) -> Result<(), Error> {
        self.data.claim(access)?;
        self.header.as_ref().map_or(Ok(()), |header| header.claim(access))
    }

    /// What the header is read from and written to.
    pub(crate) fn header(&self) -> &dyn Medium {
        &self.header.as_ref().unwrap_or(&self.data).file
    }

    /// Brings what was written to the header to its medium.
    ///
    /// # Errors
    /// The system's refusal.
    pub(crate) fn sync_header(&self) -> Result<(), Error> {
        Medium::sync(self.header()).map_err(Error::io("sync", self.header_path()))
    }

    /// Where the header is, for messages.
    pub(crate) fn header_path(&self) -> &Path {
        &self.header.as_ref().unwrap_or(&self.data).path
    }

    /// Where a detached header is.
    pub(crate) fn detached_header_path(&self) -> Option<PathBuf> {
        self.header.as_ref().map(|header| header.path.clone())
    }
}
