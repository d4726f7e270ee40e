//! SIGTERM and SIGINT end the daemon in order, a second one at once; SIGHUP lets it read its configuration again. What
//! fails on another thread is told here too.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Stop,
    Reload,
    /// No signal: what serves has ended.
    Ended,
}

/// Signals that are watched.
pub(super) struct Watched(Signals);

impl Watched {
    /// Starts to watch. From now on the first signal does nothing by itself.
    pub(super) fn start() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the exit looks at the flag before this same signal has set it.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Signals::new([SIGINT, SIGTERM, SIGHUP]).map(Self)
    }

    /// What tells, from any thread, that what serves has ended.
    pub(super) fn ending(&self) -> impl FnOnce() + Send + use<> {
        let handle = self.0.handle();
        move || handle.close()
    }

    /// Waits for the next one.
    pub(super) fn wait(&mut self) -> Wish {
        match self.0.forever().next() {
            Some(SIGHUP) => Wish::Reload,
            Some(_) => Wish::Stop,
            None => Wish::Ended,
        }
    }
}
