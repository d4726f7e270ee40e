//! From a mounted filesystem back to a volume at rest, from whatever state the chain is in: whole, half built, half taken
//! down, or left behind by a server that was killed. Doing it again is harmless.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::mount::UnmountFlags;

use super::device::Device;
use super::error::ChainError;
use super::links::Links;
use super::{holders, mounts, server};
use crate::lock::{Server, server_of};
use crate::wait::wait_until;

/// How long a server may take for its last flush.
const LAST_FLUSH: Duration = Duration::from_secs(120);

/// What was taken down.
pub(crate) struct Removed {
    /// Where the volume was mounted.
    pub(crate) dirs: Vec<PathBuf>,
    /// Whether the server had died before: what it had not synced is lost.
    pub(crate) server_had_died: bool,
}

/// The volume that is, or was, mounted at `target`.
///
/// # Errors
/// When the kernel does not tell.
pub(crate) fn find(run_dir: &Path, target: &Path) -> Result<Option<Links>, ChainError> {
    let target = mounts::absolute(target)?;
    let all = Links::all(run_dir);
    if let Some(named) = all.iter().find(|links| links.dir().as_ref() == Some(&target)) {
        return Ok(Some(named.clone()));
    }
    // Mounted once more at another place.
    let Some(mount) = mounts::at(&target)? else { return Ok(None) };
    for links in all {
        if Device::of(&links)?.iter().any(|device| device.number == mount.device) {
            return Ok(Some(links));
        }
    }
    Ok(None)
}

/// Whether the volume is mounted at `dir`, and its server runs.
///
/// # Errors
/// When the kernel does not tell.
pub(crate) fn stands(links: &Links, dir: &Path) -> Result<bool, ChainError> {
    let mounted = find(links.run_dir(), dir)?.is_some_and(|found| found.uuid == links.uuid);
    let alive = matches!(server_of(links.run_dir(), links.uuid), Server::Alive(_));
    Ok(mounted && alive && mounts::at(&mounts::absolute(dir)?)?.is_some())
}

/// Takes everything down that stands on the volume's server, and waits until that has flushed and ended. The caller holds
/// the volume's lock for [`Purpose::Mount`](crate::lock::Purpose::Mount).
///
/// # Errors
/// [`ChainError::Busy`] when somebody uses the filesystem: then everything is as before. [`ChainError::Died`] when the
/// server ended without its last flush.
pub(crate) fn take_down(links: &Links) -> Result<Removed, ChainError> {
    let before = server_of(links.run_dir(), links.uuid);
    if !matches!(before, Server::Alive(_))
        && let Some(device) = Device::of(links)?.iter().find(|device| device.waits_for_server())
    {
        // Unmounting would wait for it as well.
        return Err(ChainError::WaitsForServer { device: device.path.clone() });
    }
    let offers_file = mounts::at(&links.fuse_dir())?.is_some();
    let dirs = dismantle(links, before)?;
    if let Server::Alive(pid) = before {
        // One that offered a file has ended with its mount; a second signal would not let it flush.
        if !offers_file {
            server::stop(pid);
        }
        wait_for_end(links, pid)?;
    }
    links.clear()?;
    Ok(Removed { dirs, server_had_died: matches!(before, Server::Died(_)) })
}

/// Takes down what earlier servers of the volume have left behind: they are dead, since the caller holds the volume's lock
/// for [`Purpose::Serve`](crate::lock::Purpose::Serve).
///
/// # Errors
/// As [`take_down`].
pub(crate) fn sweep(links: &Links) -> Result<(), ChainError> {
    if Device::of(links)?.iter().any(Device::waits_for_server) {
        // Nothing is left behind: whoever serves it next goes on where the last one died.
        return Ok(());
    }
    for dir in dismantle(links, Server::None)? {
        tracing::warn!(dir = %dir.display(), "unmounted what an earlier server had left mounted");
    }
    links.clear()
}

/// Unmounts, detaches, and takes the server's file away; where it was mounted.
fn dismantle(links: &Links, server: Server) -> Result<Vec<PathBuf>, ChainError> {
    let devices = Device::of(links)?;
    let mut dirs = Vec::new();
    for device in &devices {
        for dir in mounts::of_device(&device.number)? {
            unmount(&dir)?;
            dirs.push(dir);
        }
    }
    for device in &devices {
        device.detach(links)?;
    }
    unmount_export(links, server)?;
    Ok(dirs)
}

fn unmount(dir: &Path) -> Result<(), ChainError> {
    match rustix::mount::unmount(dir, UnmountFlags::NOFOLLOW) {
        Ok(()) | Err(Errno::INVAL) => Ok(()),
        Err(Errno::BUSY) => Err(ChainError::Busy { dir: dir.to_owned(), holders: holders::of(dir) }),
        Err(error) => Err(ChainError::io("unmount", dir)(error.into())),
    }
}

/// Unmounts the FUSE export. When its server is dead, whoever has it open can only wait for errors: then it just goes.
fn unmount_export(links: &Links, server: Server) -> Result<(), ChainError> {
    let dir = links.fuse_dir();
    if mounts::at(&dir)?.is_none() {
        return Ok(());
    }
    match unmount(&dir) {
        Err(ChainError::Busy { .. }) if !matches!(server, Server::Alive(_)) => {
            rustix::mount::unmount(&dir, UnmountFlags::DETACH)
                .map_err(|error| ChainError::io("unmount", dir)(error.into()))
        }
        Err(ChainError::Busy { .. }) => Err(ChainError::DeviceBusy { device: dir }),
        outcome => outcome,
    }
}

fn wait_for_end(links: &Links, pid: u32) -> Result<(), ChainError> {
    let alive = || matches!(server_of(links.run_dir(), links.uuid), Server::Alive(now) if now == pid);
    if !wait_until(LAST_FLUSH, || !alive()) {
        return Err(ChainError::Stuck { pid, seconds: LAST_FLUSH.as_secs() });
    }
    match server_of(links.run_dir(), links.uuid) {
        Server::Died(died) if died == pid => Err(ChainError::Died { pid, log: links.log() }),
        _ => Ok(()),
    }
}
