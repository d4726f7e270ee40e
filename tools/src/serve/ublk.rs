//! The volume as a block device of this machine, beside or instead of NBD.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use datapath::export::ublk::{self, Config, Device, UblkError};
use datapath::volume::Volume;
use datapath::worker::Workers;
use serde::Serialize;
use uuid::Uuid;

use crate::error::Error;

/// A block device, for whoever is told about it.
#[derive(Clone, Serialize)]
pub(crate) struct BlockDevice {
    /// Its node.
    pub(crate) path: PathBuf,
    /// An earlier server made it; this one took it over.
    pub(crate) recovered: bool,
}

impl fmt::Display for BlockDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = if self.recovered { " (taken over from an earlier server; what was mounted goes on)" } else { "" };
        write!(f, "{}{taken}", self.path.display())
    }
}

/// Whether there can be a device, before anything is made.
///
/// # Errors
/// What the system lacks.
pub(super) fn check() -> Result<(), Error> {
    Ok(ublk::check()?)
}

/// Makes the device, or takes over the one that waits for its server.
///
/// # Errors
/// See [`UblkError`].
pub(super) fn attach(workers: &Workers, volume: Arc<Volume>, uuid: Uuid) -> Result<Device, Error> {
    let device = Device::start(workers, Config { volume, disk: 0, uuid: uuid.into_bytes() })?;
    if !device.can_resize() {
        tracing::debug!("this kernel cannot change the length of a ublk device while it is used");
    }
    Ok(device)
}

/// What is to be told about it.
pub(super) fn describe(device: &Device) -> BlockDevice {
    BlockDevice { path: device.path(), recovered: device.is_recovered() }
}

/// Removes the device; while somebody uses it, says so and waits. A second signal ends the wait and the process; the
/// device then waits for its next server.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn detach(mut device: Device) -> Result<(), Error> {
    const LOOK: Duration = Duration::from_millis(200);
    let mut said = String::new();
    loop {
        match device.remove() {
            Err(busy @ UblkError::Busy { .. }) => {
                let text = busy.to_string();
                if text != said {
                    tracing::warn!(
                        "{text}; serving on until it is not. A second signal ends sear at once, and the device waits \
                         for the next `sear up --ublk`"
                    );
                    said = text;
                }
                thread::sleep(LOOK);
            }
            outcome => return Ok(outcome?),
        }
    }
}
