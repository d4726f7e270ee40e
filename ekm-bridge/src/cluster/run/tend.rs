//! What has to be done now and then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::cluster::control::{ClusterControl, lock};
use crate::rpc::control::Outcome;

/// How often the background looks around.
pub(super) const TICK: Duration = Duration::from_millis(250);
/// How often it looks at certificates.
const WATCH: Duration = Duration::from_secs(10);
/// How often it records what volumes did, and purges.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// What rekeys take beside I/O: a tenth, where both want all of a processor.
const NICE: i32 = 10;

impl ClusterControl {
    /// One round: locked volumes are tried again when it is time, key servers and certificates are looked after, metadata
    /// drives reported. Calling it more often than needed does no harm.
    ///
    /// # Errors
    /// When the store fails; the next round tries again.
    pub fn tend(&self) -> Outcome<()> {
        self.retry_locked()?;
        self.look_after()?;
        self.catch_up()?;
        self.tend_ledger()
    }

    fn retry_locked(&self) -> Outcome<()> {
        if self.is_retry_due() && self.cluster()?.is_some() {
            self.unlock()?;
        }
        Ok(())
    }

    fn look_after(&self) -> Outcome<()> {
        if self.cluster()?.is_none() {
            return Ok(());
        }
        self.watch_servers()?;
        self.watch_keys()?;
        if self.is_watch_due() {
            self.watch_clock()?;
            self.watch_certificates()?;
            self.count_volumes()?;
        }
        if self.is_housekeeping_due() {
            self.keep_totals()?;
            self.purge_due()?;
            self.mark_time()?;
        }
        self.report_drives()?;
        self.count_keys()?;
        self.count_faults()
    }

    /// Whether certificates are to be looked at; asks for the next look.
    fn is_watch_due(&self) -> bool {
        self.is_due(&self.next_watch, WATCH)
    }

    /// Whether numbers are to be recorded and volumes purged; asks for the next time.
    fn is_housekeeping_due(&self) -> bool {
        self.is_due(&self.next_housekeeping, HOUSEKEEPING)
    }

    pub(in crate::cluster) fn is_due(&self, next: &Mutex<Duration>, pause: Duration) -> bool {
        let (mut next, now) = (lock(next), self.clock.0.elapsed());
        let is_due = *next <= now;
        if is_due {
            *next = now + pause;
        }
        is_due
    }

    /// The life of the thread that looks after servers, certificates and drives.
    pub(super) fn keep_tending(self: Arc<Self>) {
        while !self.wait_for(TICK, |_| false) {
            if let Err(error) = self.look_after() {
                tracing::warn!("looking after the cluster failed and is tried again: {error}");
            }
        }
    }

    /// The life of the thread that unlocks. A health check of a server that hangs does not hold it up.
    pub(super) fn keep_unlocking(self: Arc<Self>) {
        while !self.wait_for(TICK, |_| false) {
            if let Err(error) = self.retry_locked() {
                tracing::warn!("unlocking volumes failed and is tried again: {error}");
            }
        }
    }

    /// The life of the thread that drives rekeys, brings along what they left behind, and ends old keys.
    pub(super) fn keep_rekeying(self: Arc<Self>) {
        step_back();
        loop {
            if let Err(error) = self.drive_rekey() {
                tracing::warn!("the rekey cannot go on now and is tried again: {error}");
            }
            if let Err(error) = self.catch_up().and_then(|()| self.tend_ledger()) {
                tracing::warn!("old master keys are looked after again later: {error}");
            }
            if self.wait_for(Duration::from_secs(5), |rekey| rekey) {
                return;
            }
        }
    }

    /// Waits for so long, or until a rekey is asked for where that counts; whether it is time to stop.
    fn wait_for(&self, pause: Duration, counts: impl Fn(bool) -> bool) -> bool {
        let state = lock(&self.wake.state);
        let still = |state: &mut crate::cluster::control::WakeState| !state.stop && !counts(state.rekey);
        let waited = self.wake.changed.wait_timeout_while(state, pause, still);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if counts(state.rekey) {
            state.rekey = false;
        }
        state.stop
    }
}

/// From now on this thread, and those that it starts, run when others leave them time: I/O that clients wait for does not wait
/// for a rekey.
fn step_back() {
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "rekeys run like everything else");
    }
}
