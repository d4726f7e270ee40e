//! One clock for the control plane and all its providers.

use std::sync::Arc;
use std::time::Duration;

use crate::provider::external::Clock;
use crate::time::UnixSeconds;

/// A handle on a clock that others use too.
#[derive(Clone)]
pub(super) struct SharedClock(pub(super) Arc<dyn Clock>);

impl Clock for SharedClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> UnixSeconds {
        self.0.wall()
    }

    fn random(&self) -> u16 {
        self.0.random()
    }
}
