//! Wrong passwords cost time: after the third, each doubles the wait, for one user from one source.
//!
//! Neither alone is slowed down: a stranger must not be able to lock out the administrator, and one wrong script must
//! not slow down the other users of a machine.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Wrong passwords without a wait.
const FREE: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait.
pub(in crate::rpc) const MAX_WAIT: Duration = Duration::from_secs(8);
/// After so long without another, wrong passwords are forgotten.
const MEMORY: Duration = Duration::from_secs(600);
const MAX_ENTRIES: usize = 4_096;

/// Who is slowed down.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::rpc) struct Culprit {
    source: IpAddr,
    user: String,
}

impl Culprit {
    /// A user from a source. An IPv6 source is its network of 64 bits: who has one address there has all.
    pub(in crate::rpc) fn new(source: IpAddr, user: &str) -> Self {
        let source = match source.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address @ IpAddr::V4(_) => address,
        };
        Self { source, user: user.chars().take(64).collect() }
    }

    /// The user, its name cut to a sane length.
    pub(in crate::rpc) fn user(&self) -> &str {
        &self.user
    }
}

struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    fn wait(&self) -> Duration {
        match self.count.checked_sub(FREE) {
            None => Duration::ZERO,
            Some(more) => FIRST_WAIT.saturating_mul(1 << more.min(16)).min(MAX_WAIT),
        }
    }
}

/// The wrong passwords of the last minutes.
#[derive(Default)]
pub(in crate::rpc) struct Delays {
    failures: HashMap<Culprit, Failures>,
}

impl Delays {
    /// How long to wait before the next check.
    pub(in crate::rpc) fn wait(&self, culprit: &Culprit, now: Instant) -> Duration {
        self.failures
            .get(culprit)
            .map_or(Duration::ZERO, |failures| (failures.last + failures.wait()).saturating_duration_since(now))
    }

    /// Notes a wrong password.
    pub(in crate::rpc) fn failed(&mut self, culprit: Culprit, now: Instant) {
        self.make_room(now);
        let failures = self.failures.entry(culprit).or_insert(Failures { count: 0, last: now });
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
    }

    /// Forgets the wrong passwords before a right one.
    pub(in crate::rpc) fn succeeded(&mut self, culprit: &Culprit) {
        self.failures.remove(culprit);
    }

    fn make_room(&mut self, now: Instant) {
        if self.failures.len() < MAX_ENTRIES {
            return;
        }
        self.failures.retain(|_, failures| now.saturating_duration_since(failures.last) < MEMORY);
        if self.failures.len() >= MAX_ENTRIES {
            let oldest =
                self.failures.iter().min_by_key(|(_, failures)| failures.last).map(|(culprit, _)| culprit.clone());
            oldest.map(|culprit| self.failures.remove(&culprit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn culprit(user: &str) -> Culprit {
        Culprit::new([192, 0, 2, 1].into(), user)
    }

    #[test]
    fn the_wait_doubles_after_three_and_has_an_end() {
        let (mut delays, now) = (Delays::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..9 {
            delays.failed(culprit("admin"), now);
            waits.push(delays.wait(&culprit("admin"), now).as_millis());
        }
        assert_eq!(waits, [0, 0, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
        assert_eq!(delays.wait(&culprit("admin"), now + Duration::from_secs(7)), Duration::from_secs(1));
        assert_eq!(delays.wait(&culprit("admin"), now + MAX_WAIT), Duration::ZERO);
    }

    #[test]
    fn only_this_user_from_this_source_waits_and_a_right_password_ends_it() {
        let (mut delays, now) = (Delays::default(), Instant::now());
        for _ in 0..5 {
            delays.failed(culprit("admin"), now);
        }
        assert_eq!(delays.wait(&culprit("reader"), now), Duration::ZERO);
        assert_eq!(delays.wait(&Culprit::new([192, 0, 2, 2].into(), "admin"), now), Duration::ZERO);
        delays.succeeded(&culprit("admin"));
        assert_eq!(delays.wait(&culprit("admin"), now), Duration::ZERO);
    }

    #[test]
    fn an_ipv6_network_is_one_source_and_mapped_addresses_are_ipv4() {
        let at = |address: &str| Culprit::new(address.parse().unwrap(), "admin");
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:1"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }

    #[test]
    fn the_table_has_a_limit_and_loses_the_oldest() {
        let (mut delays, now) = (Delays::default(), Instant::now());
        for n in 0..=MAX_ENTRIES {
            let at = now + Duration::from_millis(u64::try_from(n).unwrap());
            delays.failed(culprit(&n.to_string()), at);
        }
        assert_eq!(delays.failures.len(), MAX_ENTRIES);
        assert!(!delays.failures.contains_key(&culprit("0")));
    }
}
