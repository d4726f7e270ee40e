//! Loop devices over the file of a FUSE export (loop(4), losetup(8)).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Device;
use crate::chain::error::ChainError;
use crate::chain::program::Program;
use crate::chain::server::Ready;
use crate::wait::wait_until;

const LOSETUP: Program = Program("losetup", "mount");

/// How long a device that nobody uses may take to go: it writes back what it holds first.
const DETACH: Duration = Duration::from_secs(60);

/// Attaches the server's file, with direct I/O, so that nothing is cached twice.
pub(super) fn attach(ready: &Ready) -> Result<Device, ChainError> {
    let file = ready.file.as_deref().unwrap_or(Path::new(""));
    let sector_size = ready.sector_size.to_string();
    let mut arguments = vec!["--find", "--show", "--direct-io=on", "--sector-size", &sector_size];
    if ready.read_only {
        arguments.push("--read-only");
    }
    let arguments = arguments.into_iter().map(OsStr::new).chain([OsStr::new("--"), file.as_os_str()]);
    let path = PathBuf::from(LOSETUP.run(arguments)?);
    let device = Device::named(&path.file_name().unwrap_or_default().to_string_lossy())?;
    if attribute(&device.name(), "dio").as_deref() != Some(b"1") {
        tracing::warn!(device = %device.path.display(), "the kernel gives this loop device no direct I/O; it will be slower");
    }
    Ok(device)
}

/// The loop devices over a file in `dir`.
pub(super) fn on(dir: &Path) -> Result<Vec<Device>, ChainError> {
    let entries = std::fs::read_dir("/sys/block").map_err(ChainError::io("list", "/sys/block"))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mine = names.filter(|name| is_over(name, dir));
    mine.map(|name| Device::named(&name)).collect()
}

fn is_over(name: &str, dir: &Path) -> bool {
    let file = attribute(name, "backing_file");
    file.is_some_and(|file| Path::new(OsStr::from_bytes(&file)).starts_with(dir))
}

/// An attribute of a loop device; none while nothing is attached.
fn attribute(name: &str, attribute: &str) -> Option<Vec<u8>> {
    let value = std::fs::read(format!("/sys/block/{name}/loop/{attribute}")).ok()?;
    Some(value.trim_ascii_end().to_vec())
}

/// Detaching a device in use only marks it, and the last user's end detaches it (loop(4), `LO_FLAGS_AUTOCLEAR`).
pub(super) fn release_with_last_unmount(device: &Device) -> Result<(), ChainError> {
    LOSETUP.run([OsStr::new("--detach"), device.path.as_os_str()]).map(drop)
}

/// Detaches the device and waits until it has gone.
pub(super) fn detach(device: &Device) -> Result<(), ChainError> {
    let name = device.name();
    let attached = || attribute(&name, "backing_file").is_some();
    if attached() {
        // It may go by itself between these two lines; what counts is that it goes.
        let outcome = LOSETUP.run([OsStr::new("--detach"), device.path.as_os_str()]);
        if !wait_until(DETACH, || !attached()) {
            outcome?;
            return Err(ChainError::DeviceBusy { device: device.path.clone() });
        }
    }
    Ok(())
}
