//! The FUSE export of a volume: one file.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use datapath::disk::BlockingDisk;
use datapath::export::fuse::{Config, Server, UnmountError};
use nix::libc;

use super::unmounter::Unmounter;
use crate::error::Error;
use crate::hardening::{Call, Needs, Where};
use crate::signals::StopSignals;

/// Requests in flight: enough to keep a disk busy that takes its time, and cheap while they wait.
const THREADS: usize = 8;

/// How often a file in use is tried again after the end was asked for.
const AGAIN: Duration = Duration::from_millis(200);

/// The device of every FUSE filesystem: each thread opens it once more.
const DEVICE: &str = "/dev/fuse";
/// Opening it, making the newly opened one the filesystem's (`FUSE_DEV_IOC_CLONE` of linux/fuse.h), waiting for the
/// unmounter.
const CALLS: [Call; 3] = [
    Call::any(libc::SYS_openat),
    Call::only(libc::SYS_ioctl, &[Where::is(1, 0x8004_e500)]),
    Call::any(libc::SYS_wait4),
];

/// A file that is mounted, and what unmounts it.
pub(crate) struct Mounted {
    server: Server,
    unmounter: Unmounter,
}

/// Mounts the file at `dir`, which is made if it is missing.
pub(super) fn mount(disk: Arc<dyn BlockingDisk>, name: &str, dir: &Path) -> Result<Mounted, Error> {
    make(dir)?;
    let dir = std::fs::canonicalize(dir).map_err(Error::io("find", dir))?;
    let unmounter = Unmounter::start(&dir).map_err(Error::io("start what will unmount", &dir))?;
    let config = Config { disk, dir, source: format!("sear:{name}"), threads: THREADS };
    Ok(Mounted { server: Server::mount(config)?, unmounter })
}

impl Mounted {
    /// The file.
    pub(super) fn file(&self) -> PathBuf {
        self.server.file()
    }

    /// What is still to be done once it is ready: its threads open the device, and the unmounter is waited for.
    pub(super) fn add_needs(needs: &mut Needs) {
        needs.opens.push(DEVICE.into());
        needs.calls.extend(CALLS);
    }
}

fn make(dir: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(Error::io("make", dir)(error)),
        _ => Ok(()),
    }
}

/// Serves until a signal asks for an end and nobody has the file open, or until somebody unmounts it; then flushes.
pub(super) fn run_until(mounted: Mounted, mut signals: StopSignals) -> Result<(), Error> {
    let Mounted { server, unmounter } = mounted;
    let unmounter = Arc::new(Mutex::new(Some(unmounter)));
    let theirs = Arc::clone(&unmounter);
    let stop = move || {
        signals.wait();
        tracing::info!("asked to stop");
        unmount(&theirs);
    };
    thread::Builder::new().name("signals".to_owned()).spawn(stop).map_err(Error::Signals)?;
    let ended = server.run();
    let Some(mut unmounter) = unmounter.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return Ok(ended?);
    };
    if ended.is_err()
        && let Err(error) = unmounter.unmount()
    {
        tracing::error!(%error, "the mount is left behind");
    }
    unmounter.end();
    Ok(ended?)
}

/// Tries until it works: data that is still to be written must find the server.
fn unmount(unmounter: &Mutex<Option<Unmounter>>) {
    let mut told = false;
    // None: the server has ended meanwhile.
    while let Some(Err(error)) = try_once(unmounter) {
        if !told {
            match error {
                UnmountError::Busy => tracing::warn!("the file is in use and is served until it is free"),
                error => tracing::error!(%error, "the file is served until it is unmounted"),
            }
            told = true;
        }
        thread::sleep(AGAIN);
    }
}

fn try_once(unmounter: &Mutex<Option<Unmounter>>) -> Option<Result<(), UnmountError>> {
    unmounter.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(Unmounter::unmount)
}
