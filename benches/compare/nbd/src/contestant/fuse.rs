//! A file in a FUSE filesystem with a loop device over it, and `nbdfuse(1)`, which offers an NBD export as such a file.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Running, Start, Target};
use crate::host::loop_device::LoopDevice;
use crate::host::process::{Server, output};

/// A folder to mount on.
pub(super) struct Place(PathBuf);

impl Place {
    pub(super) fn new(at: &Start<'_>) -> Result<Self, Box<dyn Error>> {
        let folder = at.own("mnt");
        fs::create_dir(&folder)?;
        Ok(Self(folder))
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// The file that appears in it.
    pub(super) fn file(&self) -> PathBuf {
        self.0.join("disk")
    }

    /// Whether the file has appeared.
    pub(super) fn is_there(&self) -> bool {
        self.file().exists()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_there()
            && let Err(error) = output(Command::new("umount").arg(&self.0))
        {
            eprintln!("{} is still mounted: {error}", self.0.display());
        }
    }
}

/// The loop device goes before the filesystem under it: fields are dropped in their order.
pub(super) struct Mounted {
    device: LoopDevice,
    #[allow(dead_code, reason = "it only has to be dropped, after the device")]
    place: Place,
}

impl Mounted {
    /// Puts a loop device over the file of `place`.
    pub(super) fn new(place: Place) -> Result<Self, Box<dyn Error>> {
        Ok(Self { device: LoopDevice::over(&place.file())?, place })
    }

    /// `/dev/loopN`.
    pub(super) fn device(&self) -> &Path {
        self.device.path()
    }
}

/// Puts `nbdfuse` and a loop device before a server.
pub(super) fn nbdfuse(mut behind: Running, at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    let Target::Nbd(uri) = &behind.target else { return Err("nbdfuse is compared without TLS only".into()) };
    let place = Place::new(at)?;
    let mut command = Command::new("nbdfuse");
    command.arg(place.file()).arg(uri);
    let mut server = Server::start(&mut command, at.cores, at.own("nbdfuse.log"))?;
    server.wait_until(|| place.is_there())?;
    let mounted = Mounted::new(place)?;
    behind.target = Target::File(mounted.device().to_owned());
    behind.mount = Some(mounted);
    behind.servers.insert(0, server);
    Ok(behind)
}
