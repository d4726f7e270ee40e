//! SIGINT and SIGTERM: the first asks for an orderly end, the second ends the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

const STOP: [i32; 2] = [SIGINT, SIGTERM];

/// Signals that ask for an end.
pub(crate) struct StopSignals(Signals);

impl StopSignals {
    /// Starts to watch. From now on the first signal does nothing by itself.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub(crate) fn watch() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in STOP {
            // In this order: the exit looks at the flag before this same signal has set it.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Signals::new(STOP).map(Self)
    }

    /// Waits for the first signal.
    pub(crate) fn wait(&mut self) {
        self.0.forever().next();
    }
}
