//! What is known of one server from its last answers, and when to ask it again.
//!
//! ```text
//!            answer                    failure
//!   ┌─────────────────────┐   ┌──────────────────────┐
//!   ▼                     │   │                      ▼
//!  up ── failure ──▶ down(1) ── failure ──▶ down(2) … down(n)
//!  checked every CHECK       checked after FIRST·2^(n−1), at most LONGEST, less up to half of it by chance
//! ```

use std::time::Duration;

use super::server::ServerError;
use crate::provider::ErrorKind;
use crate::time::UnixSeconds;

/// How often a server that answers is checked.
pub(super) const CHECK: Duration = Duration::from_secs(60);
/// The pause after the first failure.
const FIRST: Duration = Duration::from_secs(2);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(120);

/// A server's state, for people and faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When it last did as asked, or said with good reason that it cannot.
    pub last_success: Option<UnixSeconds>,
    /// What it last did wrong, until it answers again.
    pub failure: Option<Failure>,
    /// Failures in a row.
    pub failures: u32,
    /// When it last answered, on the clock's scale.
    pub(super) last_answer: Option<Duration>,
    /// When to check it next, on the clock's scale.
    pub(super) next_check: Duration,
}

/// A failure of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which kind.
    pub kind: ErrorKind,
    /// In words.
    pub message: String,
    /// Since when nothing else was heard of it.
    pub since: UnixSeconds,
}

impl Health {
    /// Whether the last answer was one.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.failure.is_none()
    }

    /// It did as asked.
    pub(super) fn succeeded(&mut self, now: Duration, wall: UnixSeconds, random: u16) {
        let next_check = now + shorter(CHECK, random);
        *self = Self { last_success: Some(wall), failure: None, failures: 0, last_answer: Some(now), next_check };
    }

    /// It did not answer, or not to us.
    pub(super) fn failed(&mut self, error: &ServerError, now: Duration, wall: UnixSeconds, random: u16) {
        let since = self.failure.as_ref().map_or(wall, |failure| failure.since);
        self.failure = Some(Failure { kind: error.kind, message: error.message.clone(), since });
        self.failures = self.failures.saturating_add(1);
        self.next_check = now + pause(self.failures, random);
    }
}

/// The pause after this many failures in a row.
fn pause(failures: u32, random: u16) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    shorter(doubled.min(LONGEST), random)
}

/// Between half of `pause` and all of it.
fn shorter(pause: Duration, random: u16) -> Duration {
    pause - pause / 2 * u32::from(random) / u32::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind) -> ServerError {
        ServerError { kind, message: format!("{kind:?}"), source: None }
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_chance_takes_at_most_half() {
        let pauses: Vec<u64> = (1..=9).map(|failures| pause(failures, 0).as_secs()).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 120, 120, 120]);
        assert_eq!(pause(u32::MAX, 0), LONGEST);
        for failures in 1..9 {
            assert_eq!(pause(failures, u16::MAX), pause(failures, 0) / 2);
            assert!((pause(failures, u16::MAX)..=pause(failures, 0)).contains(&pause(failures, 12_345)));
        }
    }

    #[test]
    fn the_first_failure_of_a_row_dates_it_and_an_answer_ends_it() {
        let mut health = Health::default();
        health.succeeded(Duration::ZERO, UnixSeconds(1), 0);
        assert_eq!((health.is_up(), health.next_check), (true, CHECK));
        health.failed(&error(ErrorKind::Unreachable), Duration::from_secs(5), UnixSeconds(5), 0);
        health.failed(&error(ErrorKind::NotAuthenticated), Duration::from_secs(9), UnixSeconds(9), 0);
        let failure = health.failure.clone().unwrap();
        assert_eq!((failure.kind, failure.since, health.failures), (ErrorKind::NotAuthenticated, UnixSeconds(5), 2));
        assert_eq!((health.last_success, health.next_check), (Some(UnixSeconds(1)), Duration::from_secs(13)));
        health.succeeded(Duration::from_secs(20), UnixSeconds(20), 0);
        assert_eq!((health.is_up(), health.failures, health.last_success), (true, 0, Some(UnixSeconds(20))));
    }
}
