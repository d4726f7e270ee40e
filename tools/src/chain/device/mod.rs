//! From a server to a block device: which ways there are, and which one this machine has.

mod loops;
mod nbd;
mod ublk;

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use super::error::ChainError;
use super::links::Links;
use super::server::Ready;

/// A way from the server to the kernel's block layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    /// The best that this machine has
    #[default]
    Auto,
    /// A FUSE file and a loop device; works everywhere
    Fuse,
    /// The kernel's NBD client
    Nbd,
    /// The kernel's ublk driver
    Ublk,
}

/// The way that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Via {
    /// A FUSE file and a loop device.
    Fuse,
    /// The kernel's NBD client.
    Nbd,
    /// The kernel's ublk driver.
    Ublk,
}

/// A block device with the volume's plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    /// As in `/dev/loop3`.
    pub(super) path: PathBuf,
    /// Major and minor number, as in `7:3`.
    pub(super) number: String,
}

impl Choice {
    /// What it comes to on this machine.
    ///
    /// # Errors
    /// When what was asked for cannot work here.
    pub(super) fn resolve(self) -> Result<Via, ChainError> {
        match self {
            Self::Fuse => Ok(Via::Fuse),
            Self::Nbd => nbd::require().map(|()| Via::Nbd),
            Self::Ublk => ublk::require().map(|()| Via::Ublk),
            Self::Auto if ublk::require().is_ok() => Ok(Via::Ublk),
            Self::Auto if nbd::is_there() => Ok(Via::Nbd),
            Self::Auto => Ok(Via::Fuse),
        }
    }
}

impl Via {
    /// Makes a block device of what the server offers.
    ///
    /// # Errors
    /// When a program fails or is missing; nothing is attached then.
    pub(super) fn attach(self, ready: &Ready, links: &Links) -> Result<Device, ChainError> {
        match self {
            Self::Fuse => loops::attach(ready),
            Self::Nbd => nbd::attach(ready, links),
            Self::Ublk => ublk::attach(ready, links),
        }
    }
}

impl Device {
    /// The block devices that stand on this volume's server, dead or alive.
    ///
    /// # Errors
    /// When sysfs is not there.
    pub(super) fn of(links: &Links) -> Result<Vec<Self>, ChainError> {
        let mut devices = loops::on(&links.fuse_dir())?;
        devices.extend(nbd::of(links));
        devices.extend(ublk::of(links));
        Ok(devices)
    }

    /// Takes the device away once nobody uses it any more: nothing but the caller's own mounts may.
    ///
    /// # Errors
    /// When it does not go.
    pub(super) fn detach(&self, links: &Links) -> Result<(), ChainError> {
        if self.waits_for_server() {
            Ok(())
        } else if links.nbd().as_ref() == Some(&self.path) {
            nbd::detach(self)
        } else {
            loops::detach(self)
        }
    }

    /// Whether the device is the server's own: it goes with a server that ends, and stays, with all that was written to
    /// it, when one dies.
    pub(super) fn waits_for_server(&self) -> bool {
        ublk::is_one(self)
    }

    /// Lets the device go by itself after the last unmount, where it can.
    ///
    /// # Errors
    /// When a program fails.
    pub(super) fn release_with_last_unmount(&self, via: Via) -> Result<(), ChainError> {
        if via == Via::Fuse { loops::release_with_last_unmount(self) } else { Ok(()) }
    }

    /// By its name in sysfs, as in `loop3`.
    fn named(name: &str) -> Result<Self, ChainError> {
        let file = format!("/sys/block/{name}/dev");
        let number = std::fs::read_to_string(&file).map_err(ChainError::io("read", file))?;
        Ok(Self { path: PathBuf::from("/dev").join(name), number: number.trim().to_owned() })
    }

    /// Its name in sysfs.
    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}
