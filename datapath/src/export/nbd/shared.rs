//! What the connections of a server share.

use std::sync::atomic::{AtomicU8, Ordering};

use super::exports::Exports;
use super::limits::Limits;
use super::tls::Tls;

/// See the module.
pub(super) struct Shared {
    pub(super) exports: Exports,
    pub(super) tls: Tls,
    pub(super) limits: Limits,
    phase: AtomicU8,
}

const SERVING: u8 = 0;
const STOPPING: u8 = 1;
const CUTTING: u8 = 2;

impl Shared {
    pub(super) fn new(exports: Exports, tls: Tls, limits: Limits) -> Self {
        Self { exports, tls, limits, phase: AtomicU8::new(SERVING) }
    }

    /// New requests are refused from now on.
    pub(super) fn stop(&self) {
        self.phase.fetch_max(STOPPING, Ordering::Relaxed);
    }

    /// Connections that are asked to end do so without waiting for their requests.
    pub(super) fn cut(&self) {
        self.phase.fetch_max(CUTTING, Ordering::Relaxed);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.phase.load(Ordering::Relaxed) >= STOPPING
    }

    pub(super) fn is_cutting(&self) -> bool {
        self.phase.load(Ordering::Relaxed) >= CUTTING
    }
}
