//! The FUSE export of a volume: one file.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use datapath::disk::BlockingDisk;
use datapath::export::fuse::{Config, Handle, Server, UnmountError};

use crate::error::Error;
use crate::signals::StopSignals;

/// Requests in flight: enough to keep a disk busy that takes its time, and cheap while they wait.
const THREADS: usize = 8;

/// How often a file in use is tried again after the end was asked for.
const AGAIN: Duration = Duration::from_millis(200);

/// Mounts the file at `dir`, which is made if it is missing.
pub(super) fn mount(disk: Arc<dyn BlockingDisk>, name: &str, dir: PathBuf) -> Result<Server, Error> {
    make(&dir)?;
    Ok(Server::mount(Config { disk, dir, source: format!("sear:{name}"), threads: THREADS })?)
}

fn make(dir: &Path) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(Error::io("make", dir)(error)),
        _ => Ok(()),
    }
}

/// Serves until a signal asks for an end and nobody has the file open, or until somebody unmounts it; then flushes.
pub(super) fn run_until(server: Server, mut signals: StopSignals) -> Result<(), Error> {
    let handle = server.handle();
    let stop = move || {
        signals.wait();
        tracing::info!("asked to stop");
        unmount(&handle);
    };
    thread::Builder::new().name("signals".to_owned()).spawn(stop).map_err(Error::Signals)?;
    Ok(server.run()?)
}

/// Tries until it works: data that is still to be written must find the server.
fn unmount(handle: &Handle) {
    let mut told = false;
    while let Err(error) = handle.unmount() {
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
