//! Starting and stopping.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::cluster::control::{ClusterControl, lock};
use crate::records::VolumeStatus;
use crate::rpc::ApiError;
use crate::rpc::control::Outcome;

/// How long a health check is waited for when the daemon ends.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why the control plane does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What is remembered cannot be read or written.
    #[error("the cluster's state cannot be used: {0}")]
    State(#[from] ApiError),
    /// The operating system gives no threads.
    #[error("cannot start the threads of the control plane: {0}")]
    Threads(#[source] io::Error),
}

/// The control plane at work. Stop it: what is dropped stops its threads and leaves volumes open.
pub struct Running {
    control: Arc<ClusterControl>,
    /// Each with how long it is waited for in the end, where that is not until it ends.
    threads: Vec<(JoinHandle<()>, Option<Duration>)>,
}

impl ClusterControl {
    /// Ends what an earlier process was in the middle of and opens the volumes. What stays locked is a fault and is tried
    /// again in the background; a rekey goes on there.
    ///
    /// # Errors
    /// When the store fails or there are no threads. That a key server or a volume fails is none.
    pub fn start(self: &Arc<Self>) -> Result<Running, StartError> {
        self.recover()?;
        let mut running = Running { control: Arc::clone(self), threads: Vec::new() };
        running.spawn("sear-tend", Self::keep_tending, Some(PATIENCE))?;
        running.spawn("sear-unlock", Self::keep_unlocking, None)?;
        running.spawn("sear-rekey", Self::keep_rekeying, None)?;
        Ok(running)
    }

    /// The part of [`Self::start`] that needs no threads.
    ///
    /// # Errors
    /// When the store fails.
    pub fn recover(&self) -> Outcome<()> {
        lock(&self.wake.state).stop = false;
        self.begin_time()?;
        if self.cluster()?.is_none() {
            return Ok(());
        }
        self.report_drives()?;
        self.end_drive_work()?;
        self.tell_places()?;
        self.end_unfinished()?;
        self.adopt_headers()?;
        self.forget_half_made_backups()?;
        self.take_over()?;
        self.unlock()?;
        Ok(())
    }

    /// Volumes that were being made, adopted or purged. What cannot be ended now is tried at the next start.
    fn end_unfinished(&self) -> Outcome<()> {
        for volume in self.volume_records()?.iter().filter(|volume| volume.path.is_none()) {
            let _turn = self.turns.take(volume.uuid);
            let is_arriving = volume.site.is_some() && volume.status == VolumeStatus::Active;
            let ended = if is_arriving { self.settle_arrival(volume).map(drop) } else { self.erase_for_good(volume) };
            if let Err(error) = ended {
                tracing::warn!(volume = %volume.uuid, "what was begun with a volume is not ended yet: {error}");
            }
        }
        Ok(())
    }

    /// Closes every volume.
    fn close_all(&self) -> Outcome<()> {
        let mut outcome = Ok(());
        for volume in self.volume_records()?.iter().filter(|volume| volume.status == VolumeStatus::Active) {
            let _turn = self.turns.take(volume.uuid);
            outcome = outcome.and(self.close(volume));
        }
        outcome
    }
}

impl Running {
    fn spawn(
        &mut self,
        name: &str,
        life: fn(Arc<ClusterControl>),
        patience: Option<Duration>,
    ) -> Result<(), StartError> {
        let control = Arc::clone(&self.control);
        let thread = thread::Builder::new().name(name.into()).spawn(move || life(control));
        self.threads.push((thread.map_err(StartError::Threads)?, patience));
        Ok(())
    }

    /// The control plane.
    #[must_use]
    pub fn control(&self) -> &Arc<ClusterControl> {
        &self.control
    }

    /// Ends the threads, after whatever they are in the middle of, then closes every volume. Stop the API first. A key server
    /// that hangs is not waited for: whoever asks it only looks after things, and what it does may be cut at any moment.
    ///
    /// # Errors
    /// When a volume could not be closed in order; all others are.
    pub fn stop(mut self) -> Outcome<()> {
        self.end_threads();
        self.control.close_all()
    }

    fn end_threads(&mut self) {
        lock(&self.control.wake.state).stop = true;
        self.control.wake.changed.notify_all();
        for (thread, patience) in self.threads.drain(..) {
            if let Some(patience) = patience
                && !ends_within(&thread, patience)
            {
                tracing::warn!("a key server has not answered; the daemon ends without its answer");
            } else if thread.join().is_err() {
                tracing::error!("a thread of the control plane panicked");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end_threads();
    }
}

fn ends_within(thread: &JoinHandle<()>, patience: Duration) -> bool {
    let begin = Instant::now();
    while !thread.is_finished() && begin.elapsed() < patience {
        thread::sleep(Duration::from_millis(5));
    }
    thread.is_finished()
}
