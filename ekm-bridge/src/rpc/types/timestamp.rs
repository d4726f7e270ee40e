//! Points in time as the API writes them: UTC, `2026-05-01T12:00:00Z`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::time::UnixSeconds;

const SECONDS_PER_DAY: u64 = 86_400;
/// The last second of the year 9999; what is later is shown as this.
const LAST: u64 = 253_402_300_799;

/// A point in time, with the resolution of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub UnixSeconds);

impl Timestamp {
    /// The system's clock.
    #[must_use]
    pub fn now() -> Self {
        Self(UnixSeconds::now())
    }

    /// Reads `YYYY-MM-DDTHH:MM:SS[.fraction]Z`; the fraction is dropped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let [year, month, day] = numbers(date, '-')?;
        let [hour, minute, second] = numbers(time.split('.').next()?, ':')?;
        let is_valid = (1970..=9999).contains(&year) && (1..=12).contains(&month) && hour < 24 && minute < 60;
        if !is_valid || second > 60 || !(1..=days_in(year, month)).contains(&day) {
            return None;
        }
        let days = days_before(year, month) + day - 1;
        Some(Self(UnixSeconds(days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.0.min(LAST);
        let (mut days, time) = (seconds / SECONDS_PER_DAY, seconds % SECONDS_PER_DAY);
        // 1970 plus the days divided by the longest year is never too late, and early by less than a year.
        let mut year = 1970 + days / 366;
        while days_before(year + 1, 1) <= days {
            year += 1;
        }
        let month = (1..=12).rev().find(|month| days_before(year, *month) <= days).unwrap_or(1);
        days -= days_before(year, month);
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        write!(f, "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z", days + 1)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom(format_args!("{text:?} is not a time like 2026-05-01T12:00:00Z")))
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of a month (Gregorian calendar, `year` ≥ 1970).
fn days_before(year: u64, month: u64) -> u64 {
    let past = year - 1;
    let leap_days = past / 4 - past / 100 + past / 400;
    let since_1970 = (year - 1970) * 365 + leap_days - 477;
    since_1970 + (1..month).map(|month| days_in(year, month)).sum::<u64>()
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator).map(|part| {
        let is_number = !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    });
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times_are_written_as_the_calendar_says() {
        // From `date -u -d @SECONDS`.
        let known = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (1_583_020_800, "2020-03-01T00:00:00Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59Z"),
            (u64::MAX, "9999-12-31T23:59:59Z"),
        ];
        for (seconds, text) in known {
            assert_eq!(Timestamp(UnixSeconds(seconds)).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "2026-05-01", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-05-01T24:00:00Z"] {
            assert_eq!(Timestamp::parse(text), None, "{text:?}");
        }
        assert_eq!(Timestamp::parse("1970-01-01T00:00:01.999Z"), Some(Timestamp(UnixSeconds(1))));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(seconds in 0..=LAST) {
            let time = Timestamp(UnixSeconds(seconds));
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }
    }
}
