//! Time and chance, handed in, so that no test waits and every run can be repeated.

use std::time::{Duration, Instant};

use crate::time::UnixSeconds;

/// What the provider asks of the world beside its servers.
pub trait Clock: Send + Sync {
    /// Time since some fixed moment of this process; it never goes back.
    fn elapsed(&self) -> Duration;

    /// The time of day, for records.
    fn wall(&self) -> UnixSeconds;

    /// A random number, evenly distributed: spreads the health checks of many nodes.
    fn random(&self) -> u16;
}

/// The system's clocks and random generator.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> UnixSeconds {
        UnixSeconds::now()
    }

    fn random(&self) -> u16 {
        let [first, second, ..] = uuid::Uuid::new_v4().into_bytes();
        u16::from_be_bytes([first, second])
    }
}
