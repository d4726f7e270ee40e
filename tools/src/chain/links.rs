//! What of a volume's chain is found in the run directory.

use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::error::ChainError;

/// The places of one volume in the run directory.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    run_dir: PathBuf,
    /// The volume.
    pub(crate) uuid: Uuid,
}

impl Links {
    /// Those of volume `uuid`.
    pub(crate) fn new(run_dir: &Path, uuid: Uuid) -> Self {
        Self { run_dir: run_dir.to_owned(), uuid }
    }

    /// Those of every volume that has been mounted from `run_dir`.
    pub(super) fn all(run_dir: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(run_dir).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let uuids = names.filter_map(|name| Uuid::parse_str(name.strip_suffix(".mount")?).ok());
        uuids.map(|uuid| Self::new(run_dir, uuid)).collect()
    }

    /// The run directory.
    pub(super) fn run_dir(&self) -> &Path {
        &self.run_dir
    }

    /// Where the FUSE export is mounted.
    pub(crate) fn fuse_dir(&self) -> PathBuf {
        self.at("fuse")
    }

    /// The socket of the NBD server.
    pub(crate) fn socket(&self) -> PathBuf {
        self.at("sock")
    }

    /// What a server in the background writes.
    pub(crate) fn log(&self) -> PathBuf {
        self.at("log")
    }

    /// Where the volume is or was mounted.
    pub(super) fn dir(&self) -> Option<PathBuf> {
        std::fs::read_link(self.at("mount")).ok()
    }

    /// The NBD device that is or was attached.
    pub(super) fn nbd(&self) -> Option<PathBuf> {
        std::fs::read_link(self.at("nbd")).ok()
    }

    /// The ublk device that is or was attached.
    pub(super) fn ublk(&self) -> Option<PathBuf> {
        std::fs::read_link(self.at("ublk")).ok()
    }

    /// Whether a chain has been set up and not taken down, whatever is left of it.
    pub(crate) fn is_used(&self) -> bool {
        self.dir().is_some() || self.nbd().is_some()
    }

    /// Says where the volume is going to be mounted.
    pub(super) fn set_dir(&self, dir: &Path) -> Result<(), ChainError> {
        set(&self.at("mount"), dir)
    }

    /// Says which NBD device is going to be attached.
    pub(super) fn set_nbd(&self, device: &Path) -> Result<(), ChainError> {
        set(&self.at("nbd"), device)
    }

    /// Says which ublk device is going to be mounted.
    pub(super) fn set_ublk(&self, device: &Path) -> Result<(), ChainError> {
        set(&self.at("ublk"), device)
    }

    /// Forgets them, and removes the directory of the FUSE export, which nothing is mounted at.
    pub(super) fn clear(&self) -> Result<(), ChainError> {
        for kind in ["mount", "nbd", "ublk"] {
            let path = self.at(kind);
            missing_is_fine(std::fs::remove_file(&path)).map_err(ChainError::io("remove", path))?;
        }
        let dir = self.fuse_dir();
        missing_is_fine(std::fs::remove_dir(&dir)).map_err(ChainError::io("remove", dir))
    }

    fn at(&self, kind: &str) -> PathBuf {
        self.run_dir.join(format!("{}.{kind}", self.uuid))
    }
}

fn set(link: &Path, target: &Path) -> Result<(), ChainError> {
    missing_is_fine(std::fs::remove_file(link)).map_err(ChainError::io("replace", link))?;
    std::os::unix::fs::symlink(target, link).map_err(ChainError::io("make", link))
}

fn missing_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
