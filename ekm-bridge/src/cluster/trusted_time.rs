//! How far the time of day is trusted where something is destroyed because its time is over.
//!
//! The time of day is what somebody set it to. A clock that leaps ahead would end the hold of an old key and the grace of a
//! deleted volume at once, and when it is set right nothing brings them back. So a leap ahead is believed only after it has
//! lasted for a day:
//!
//! ```text
//! trusted = time of day − lag       lag: + every leap ahead, − every leap back, 0 a day after the last leap ahead
//! ```
//! That a clock was set back only makes things wait, which does no harm.

use std::time::Duration;

use crate::time::UnixSeconds;

/// What the time of day may be off from the time that passes without being a leap, in seconds.
const TOLERANCE: u64 = 60;
/// How long a leap ahead is not believed.
pub(super) const DOUBT: Duration = Duration::from_secs(86_400);
/// What has passed since the last mark of an earlier process without a doubt, if the clock says so.
const PAUSE: u64 = 2 * 3600;
/// The shortest leap of a running process that people are told of.
const TOLD: u64 = 3600;
/// The same for the time that a node seems to have been switched off.
const TOLD_PAUSE: u64 = 30 * 86_400;

/// A change of the clock that people should know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leap {
    /// So many seconds ahead.
    Ahead(u64),
    /// So many seconds back.
    Back(u64),
}

/// A leap ahead that is not believed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    /// How many seconds are not believed.
    pub(super) lag: u64,
    /// The time of day at which they will be.
    pub(super) until: UnixSeconds,
    /// Whether people should know.
    pub(super) is_told: bool,
    ends: Duration,
}

/// The time of day, and how much of it is believed.
#[derive(Default)]
pub(super) struct TrustedTime {
    last: Option<(Duration, UnixSeconds)>,
    doubt: Option<Doubt>,
    news: Option<Leap>,
}

impl TrustedTime {
    /// A process begins; an earlier one has left this mark.
    pub(super) fn begin(&mut self, elapsed: Duration, wall: UnixSeconds, mark: Option<UnixSeconds>) {
        *self = Self { last: Some((elapsed, wall)), ..Self::default() };
        let Some(mark) = mark else { return };
        let gap = wall.0.saturating_sub(mark.0).saturating_sub(PAUSE);
        if gap > 0 {
            self.ahead(elapsed, wall, gap, gap >= TOLD_PAUSE);
        }
        self.back(mark.0.saturating_sub(wall.0));
    }

    /// The trusted time. Ask often: a leap is what came between two questions.
    pub(super) fn now(&mut self, elapsed: Duration, wall: UnixSeconds) -> UnixSeconds {
        let (then, wall_then) = self.last.replace((elapsed, wall)).unwrap_or((elapsed, wall));
        let expected = wall_then.0.saturating_add(elapsed.saturating_sub(then).as_secs());
        if wall.0 > expected.saturating_add(TOLERANCE) {
            self.ahead(elapsed, wall, wall.0 - expected, wall.0 - expected >= TOLD);
        } else if wall.0.saturating_add(TOLERANCE) < expected {
            self.back(expected - wall.0);
        }
        if self.doubt.is_some_and(|doubt| doubt.ends <= elapsed) {
            self.doubt = None;
        }
        UnixSeconds(wall.0.saturating_sub(self.doubt.map_or(0, |doubt| doubt.lag)))
    }

    /// What is not believed yet.
    pub(super) fn doubt(&self) -> Option<Doubt> {
        self.doubt
    }

    /// The last leap that people should know of; told once.
    pub(super) fn take_news(&mut self) -> Option<Leap> {
        self.news.take()
    }

    fn ahead(&mut self, elapsed: Duration, wall: UnixSeconds, by: u64, is_told: bool) {
        let before = self.doubt;
        let until = UnixSeconds(wall.0.saturating_add(DOUBT.as_secs()));
        self.doubt = Some(Doubt {
            lag: before.map_or(0, |doubt| doubt.lag).saturating_add(by),
            until,
            is_told: is_told || before.is_some_and(|doubt| doubt.is_told),
            ends: elapsed + DOUBT,
        });
        if is_told {
            self.news = Some(Leap::Ahead(by));
        }
    }

    fn back(&mut self, by: u64) {
        if let Some(doubt) = &mut self.doubt {
            doubt.lag = doubt.lag.saturating_sub(by);
        }
        self.doubt = self.doubt.filter(|doubt| doubt.lag > 0);
        if by >= TOLD {
            self.news = Some(Leap::Back(by));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_700_000_000;
    const DAY: u64 = 86_400;
    const YEARS: u64 = 3650 * DAY;

    /// What is trusted, in seconds since the start, after looks at these moments: elapsed, and what the clock is off by.
    fn trusted(looks: &[(u64, i64)]) -> Vec<i64> {
        let mut time = TrustedTime::default();
        let mut look = |(elapsed, off): &(u64, i64)| {
            let wall = UnixSeconds(START.saturating_add(*elapsed).saturating_add_signed(*off));
            i64::try_from(time.now(Duration::from_secs(*elapsed), wall).0).unwrap() - i64::try_from(START).unwrap()
        };
        looks.iter().map(&mut look).collect()
    }

    #[test]
    fn a_steady_clock_is_trusted_and_so_is_one_that_is_slewed() {
        assert_eq!(trusted(&[(0, 0), (100, 0), (10_000_000, 50), (10_000_001, 0)]), [0, 100, 10_000_050, 10_000_001]);
    }

    #[test]
    fn a_leap_ahead_is_believed_after_a_day_of_it() {
        let years = i64::try_from(YEARS).unwrap();
        let looks = [(0, 0), (10, years), (DAY, years), (DAY + 9, years), (DAY + 10, years)];
        assert_eq!(trusted(&looks), [0, 10, 86_400, 86_409, years + 86_410]);
    }

    #[test]
    fn a_leap_ahead_that_is_taken_back_was_none() {
        let years = i64::try_from(YEARS).unwrap();
        let looks = [(0, 0), (10, years), (20, 0), (DAY + 30, 0)];
        assert_eq!(trusted(&looks), [0, 10, 20, 86_430]);
    }

    #[test]
    fn a_leap_back_makes_everything_wait_and_setting_it_right_takes_a_day() {
        let looks = [(0, 0), (10, -86_400), (20, 0), (DAY + 19, 0), (DAY + 20, 0)];
        assert_eq!(trusted(&looks), [0, -86_390, -86_380, 19, 86_420]);
    }

    #[test]
    fn a_start_trusts_a_short_pause_and_not_ten_years() {
        let at = |wall: u64, mark: u64| {
            let mut time = TrustedTime::default();
            time.begin(Duration::from_secs(5), UnixSeconds(wall), Some(UnixSeconds(mark)));
            (time.now(Duration::from_secs(6), UnixSeconds(wall + 1)).0, time.doubt().is_some_and(|doubt| doubt.is_told))
        };
        assert_eq!(at(START + 3600, START), (START + 3601, false));
        assert_eq!(at(START + 3 * DAY, START), (START + PAUSE + 1, false), "a long week-end is no news");
        assert_eq!(at(START + YEARS, START), (START + PAUSE + 1, true));
        assert_eq!(at(START - DAY, START), (START - DAY + 1, false));
    }
}
