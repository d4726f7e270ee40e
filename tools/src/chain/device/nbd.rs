//! The kernel's NBD client, attached with `nbd-client`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Device;
use crate::chain::error::ChainError;
use crate::chain::links::Links;
use crate::chain::program::Program;
use crate::chain::server::Ready;
use crate::wait::wait_until;

const NBD_CLIENT: Program = Program("nbd-client", "nbd-client");
const MODPROBE: Program = Program("modprobe", "kmod");
const MODULE: &str = "/sys/module/nbd";

/// How long a connection may take to come up or go.
const SETTLE: Duration = Duration::from_secs(30);

/// Whether the module is loaded and its program installed.
pub(super) fn is_there() -> bool {
    Path::new(MODULE).exists() && NBD_CLIENT.exists()
}

/// Loads the module if need be.
pub(super) fn require() -> Result<(), ChainError> {
    let missing = |why| ChainError::NoWay { via: "nbd", why };
    if !Path::new(MODULE).exists() && MODPROBE.run(["nbd"]).is_err() {
        return Err(missing("the kernel's nbd module cannot be loaded"));
    }
    if NBD_CLIENT.exists() { Ok(()) } else { Err(missing("nbd-client is not installed")) }
}

/// Connects a free device. Its name is written down before anything is connected.
pub(super) fn attach(ready: &Ready, links: &Links) -> Result<Device, ChainError> {
    let device = free()?;
    links.set_nbd(&device.path)?;
    let sector_size = ready.sector_size.to_string();
    let mut arguments: Vec<OsString> = vec!["-unix".into(), links.socket().into(), device.path.clone().into()];
    arguments.extend(["-name", &ready.name, "-block-size", &sector_size].map(OsString::from));
    if ready.read_only {
        arguments.push("-readonly".into());
    }
    NBD_CLIENT.run(arguments)?;
    if wait_until(SETTLE, || is_connected(&device.name()) && size(&device.name()) > 0) {
        Ok(device)
    } else {
        let _nothing_more_to_do = detach(&device);
        Err(ChainError::Program { program: "nbd-client", said: "the device did not get a size".to_owned() })
    }
}

/// The device that this volume's chain has connected, while it is.
pub(super) fn of(links: &Links) -> Option<Device> {
    let path = links.nbd()?;
    let name = path.file_name()?.to_string_lossy().into_owned();
    is_connected(&name).then(|| Device::named(&name).ok()).flatten()
}

/// Disconnects the device and waits until it has gone.
pub(super) fn detach(device: &Device) -> Result<(), ChainError> {
    NBD_CLIENT.run([OsStr::new("-d"), device.path.as_os_str()])?;
    if wait_until(SETTLE, || !is_connected(&device.name())) {
        Ok(())
    } else {
        Err(ChainError::DeviceBusy { device: device.path.clone() })
    }
}

/// The first device that nothing is connected to.
fn free() -> Result<Device, ChainError> {
    let names = (0..256).map(|n| format!("nbd{n}")).take_while(|name| block(name).exists());
    let mut free = names.filter(|name| !is_connected(name) && size(name) == 0);
    let full = ChainError::NoWay { via: "nbd", why: "every /dev/nbdN is connected" };
    Device::named(&free.next().ok_or(full)?)
}

fn block(name: &str) -> PathBuf {
    Path::new("/sys/block").join(name)
}

/// The attribute is there while a connection is (drivers/block/nbd.c).
fn is_connected(name: &str) -> bool {
    block(name).join("pid").exists()
}

/// In sectors of 512 bytes.
fn size(name: &str) -> u64 {
    let text = std::fs::read_to_string(block(name).join("size")).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}
