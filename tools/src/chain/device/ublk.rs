//! The kernel's ublk driver: the server makes the device and removes it by itself. One whose server has died keeps what
//! was written to it, and waits for the next.

use std::path::Path;
use std::time::Duration;

use datapath::export::ublk;

use super::Device;
use crate::chain::error::ChainError;
use crate::chain::links::Links;
use crate::chain::server::Ready;
use crate::wait::wait_until;

/// How long the node may take to appear.
const NODE: Duration = Duration::from_secs(10);

/// Whether the driver is there and lets us use it.
pub(super) fn require() -> Result<(), ChainError> {
    ublk::check().map_err(|error| {
        tracing::info!(%error, "no ublk");
        ChainError::NoWay { via: "ublk", why: "the kernel's ublk driver is not there (modprobe ublk_drv)" }
    })
}

/// The server's device.
pub(super) fn attach(ready: &Ready, links: &Links) -> Result<Device, ChainError> {
    let path = ready.block_device.as_ref().map_or(Path::new(""), |device| &device.path);
    links.set_ublk(path)?;
    wait_until(NODE, || path.exists());
    Device::named(&path.file_name().unwrap_or_default().to_string_lossy())
}

/// The device that was mounted, whether its server lives or not. It must carry the volume's UUID, or its number has gone
/// to another; and one with the UUID must be the one that was mounted, or it is of a copy of the volume.
pub(super) fn of(links: &Links) -> Option<Device> {
    let path = links.ublk()?;
    ublk::carries(&path, links.uuid.as_bytes()).then_some(())?;
    Device::named(&path.file_name()?.to_string_lossy()).ok()
}

/// Whether it is such a device.
pub(super) fn is_one(device: &Device) -> bool {
    device.name().starts_with("ublkb")
}
