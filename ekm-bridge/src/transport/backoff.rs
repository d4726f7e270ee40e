//! How long to wait before the next attempt.

use std::time::Duration;

/// Doubles from a first wait up to a longest one; each wait is between half of that and all of it, so that nodes
/// which lost a server together do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// A wait that has not begun.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { next: first, first, longest }
    }

    /// The next wait. Without randomness from the operating system it is the full one.
    pub fn next_wait(&mut self) -> Duration {
        let mut random = [0xFF; 4];
        if getrandom::fill(&mut random).is_err() {
            random = [0xFF; 4];
        }
        self.next_with(u32::from_be_bytes(random))
    }

    /// Back to the first wait, after a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }

    fn next_with(&mut self, random: u32) -> Duration {
        let full = self.next.min(self.longest);
        self.next = full.saturating_mul(2).min(self.longest);
        full / 2 + (full / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_start_again_after_a_success() {
        let seconds = Duration::from_secs;
        let mut backoff = Backoff::new(seconds(1), seconds(5));
        let full: Vec<_> = (0..5).map(|_| backoff.next_with(u32::MAX)).collect();
        assert_eq!(full, [1, 2, 4, 5, 5].map(seconds));
        backoff.reset();
        assert_eq!(backoff.next_with(0), Duration::from_millis(500));
        assert!((0..100).all(|_| (seconds(1)..=seconds(5)).contains(&backoff.next_wait())));
    }
}
