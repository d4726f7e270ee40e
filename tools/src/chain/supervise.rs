//! `sear up PATH --mount DIR`: stays until a signal asks for the end, or the mount or its server is gone.

use std::fs::File;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::device::Device;
use super::down::take_down;
use super::error::ChainError;
use super::links::Links;
use super::mounts;
use super::up::Mounted;
use crate::error::Error;
use crate::lock::{Purpose, VolumeLock};
use crate::signals::StopSignals;

/// How often a busy filesystem is tried again after the end was asked for.
const AGAIN: Duration = Duration::from_secs(1);

/// Why the end has come.
enum Event {
    /// A signal.
    Stop,
    /// Somebody has unmounted it.
    Unmounted,
    /// The server has ended.
    ServerEnded,
}

/// Waits for the end and takes everything down. A busy filesystem stays until it is free.
///
/// # Errors
/// When something cannot be taken down, or the server did not end in order.
pub(crate) fn supervise(mounted: Mounted, mut signals: StopSignals) -> Result<(), Error> {
    let Mounted { mut child, links, .. } = mounted;
    let (send, events) = mpsc::channel();
    let stop = sender(&send, Event::Stop);
    spawn(move || {
        signals.wait();
        stop();
    })?;
    let ended = sender(&send, Event::ServerEnded);
    spawn(move || {
        if let Err(error) = child.wait() {
            tracing::error!(%error, "cannot wait for the server");
        }
        ended();
    })?;
    let (unmounted, watched) = (sender(&send, Event::Unmounted), links.clone());
    spawn(move || match wait_for_unmount(&watched) {
        Ok(()) => unmounted(),
        Err(error) => tracing::warn!(%error, "an unmount by others will not be noticed"),
    })?;
    let mut told = false;
    // One sender is kept here, so there is always somebody who could send.
    let mut event = events.recv().unwrap_or(Event::Stop);
    loop {
        let lock = VolumeLock::wait(links.run_dir(), links.uuid, Purpose::Mount)?;
        let outcome = take_down(&links);
        drop(lock);
        match outcome {
            Ok(removed) if removed.server_had_died => return Err(died(&links)),
            Ok(_) => return Ok(()),
            Err(ChainError::Busy { dir, holders }) if !matches!(event, Event::ServerEnded) => {
                if !told {
                    let busy = ChainError::Busy { dir, holders };
                    tracing::warn!("{busy}; it is unmounted once it is free. A second signal leaves it mounted");
                    told = true;
                }
                match events.recv_timeout(AGAIN) {
                    Ok(next) => event = next,
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn died(links: &Links) -> Error {
    let message = "the server has died: what was not synced is lost; everything else was taken down".to_owned();
    tracing::debug!(volume = %links.uuid, "its server had died");
    ChainError::Server { exit_code: 1, message, hint: Some("run the same command again".to_owned()) }.into()
}

fn sender(send: &Sender<Event>, event: Event) -> impl FnOnce() + Send + 'static {
    let send = send.clone();
    // Nobody listens any more once the end has come.
    move || drop(send.send(event))
}

fn spawn(job: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    thread::Builder::new().name("watch".to_owned()).spawn(job).map(drop).map_err(Error::Signals)
}

/// The kernel signals a change of the mounts on an open mountinfo (proc_pid_mounts(5)).
fn wait_for_unmount(links: &Links) -> Result<(), ChainError> {
    const MOUNTINFO: &str = "/proc/self/mountinfo";
    let file = File::open(MOUNTINFO).map_err(ChainError::io("open", MOUNTINFO))?;
    while is_mounted(links)? {
        let mut changes = [PollFd::new(&file, PollFlags::PRI)];
        match rustix::event::poll(&mut changes, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(ChainError::io("watch", MOUNTINFO)(error.into())),
        }
    }
    Ok(())
}

fn is_mounted(links: &Links) -> Result<bool, ChainError> {
    for device in Device::of(links)? {
        if !mounts::of_device(&device.number)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
