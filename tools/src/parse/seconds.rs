//! Times in seconds, as in `5` or `0.5`.

use std::time::Duration;

/// The longest time that anybody waits for.
const MAX: f64 = 3600.0;

/// Parses a time of more than nothing and at most an hour.
///
/// # Errors
/// When it is not one; said for a person.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds, as in 5 or 0.5".to_owned())?;
    if seconds > 0.0 && seconds <= MAX {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("expected more than 0 and at most {MAX} seconds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_may_have_a_fraction_and_have_limits() {
        assert_eq!(seconds("5"), Ok(Duration::from_secs(5)));
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for wrong in ["", "5s", "0", "-1", "3601", "inf", "NaN"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
