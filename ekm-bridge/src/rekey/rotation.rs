//! When a master key is old enough for the next rekey.

use keywrap::keys::KeyId;

use crate::time::UnixSeconds;

/// Seconds of a day.
pub const DAY: u64 = 86_400;

/// When the rekey of a key is due and when it is overdue, for a period in days from its creation.
///
/// Up to a tenth of the period is taken off, as much for one key as its id says: many clusters that were set up in one
/// hour do not rekey in one hour. It is overdue a tenth of the period, at least a day, after the period has ended.
#[must_use]
pub fn window(id: KeyId, created: UnixSeconds, days: u32) -> (UnixSeconds, UnixSeconds) {
    let period = u64::from(days.max(1)) * DAY;
    let [first, second, ..] = id.0.into_bytes();
    let share = u64::from(u16::from_be_bytes([first, second]));
    let early = period / 10 * share / u64::from(u16::MAX);
    let due = created.0.saturating_add(period - early);
    let overdue = created.0.saturating_add(period).saturating_add((period / 10).max(DAY));
    (UnixSeconds(due), UnixSeconds(overdue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_due_within_the_last_tenth_of_the_period_and_overdue_after_it() {
        for days in [1, 30, 365] {
            let period = u64::from(days) * DAY;
            for _ in 0..100 {
                let (due, overdue) = window(KeyId::random(), UnixSeconds(1000), days);
                assert!((1000 + period - period / 10..=1000 + period).contains(&due.0));
                assert!(overdue.0 >= 1000 + period + DAY && overdue > due);
            }
        }
    }

    #[test]
    fn keys_of_one_moment_are_not_due_in_one_moment() {
        let due: std::collections::BTreeSet<_> =
            (0..100).map(|_| window(KeyId::random(), UnixSeconds(0), 90).0).collect();
        assert!(due.len() > 50);
        assert_eq!(window(KeyId::random(), UnixSeconds(u64::MAX), 1).0, UnixSeconds(u64::MAX));
    }
}
