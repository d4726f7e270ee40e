//! From the bytes and times of the rounds to the two numbers that are shown.

use std::time::Duration;

/// What ran in one slice of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    /// Bytes, of all threads.
    pub(super) bytes: u64,
    /// From the start that all threads share to the end of the last one.
    pub(super) time: Duration,
}

impl Done {
    /// The work of one thread more in the same slice.
    fn beside(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, time: self.time.max(other.time) }
    }

    /// In 10⁹ bytes per second.
    #[expect(clippy::cast_precision_loss, reason = "a slice of time has far fewer than 2^53 bytes")]
    fn gbps(self) -> f64 {
        self.bytes as f64 / self.time.as_secs_f64() / 1e9
    }
}

/// One round: the cipher and its ceiling, one right after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Round {
    /// AES-XTS.
    pub(super) cipher: Done,
    /// AES alone.
    pub(super) ceiling: Done,
}

impl Round {
    /// The same round on one thread more.
    pub(super) fn beside(self, other: Self) -> Self {
        Self { cipher: self.cipher.beside(other.cipher), ceiling: self.ceiling.beside(other.ceiling) }
    }
}

/// What a case reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Throughput {
    /// AES-XTS in 10⁹ bytes per second: the median of the rounds.
    pub(crate) gbps: f64,
    /// That as a part of what AES alone reaches in the same registers: the median of each round's own ratio.
    pub(crate) ceiling_ratio: f64,
}

impl Throughput {
    /// The medians of `rounds`.
    pub(super) fn of(rounds: &[Round]) -> Self {
        let ratio = |round: &Round| round.cipher.gbps() / round.ceiling.gbps();
        Self {
            gbps: median(rounds.iter().map(|round| round.cipher.gbps()).collect()),
            ceiling_ratio: median(rounds.iter().map(ratio).collect()),
        }
    }
}

/// The value in the middle, or the mean of the two in the middle; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle.wrapping_sub(1)), values.get(middle)) {
        (Some(below), Some(above)) if values.len().is_multiple_of(2) => f64::midpoint(*below, *above),
        (_, Some(middle)) => *middle,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(bytes: u64, millis: u64) -> Done {
        Done { bytes, time: Duration::from_millis(millis) }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0]), 3.0);
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 100.0, 1.0, 2.0]), 3.0);
    }

    #[test]
    fn threads_add_their_bytes_and_the_last_one_ends_the_slice() {
        let one = Round { cipher: done(5, 10), ceiling: done(6, 7) };
        let other = Round { cipher: done(7, 4), ceiling: done(8, 9) };
        assert_eq!(one.beside(other), Round { cipher: done(12, 10), ceiling: done(14, 9) });
        assert_eq!(done(3_000_000_000, 1500).gbps(), 2.0);
    }

    #[test]
    fn each_ratio_is_taken_within_its_round_before_the_median() {
        let gigabytes = |count: u64| done(count * 1_000_000_000, 1000);
        let rounds = [(1, 2), (8, 10), (3, 4)]
            .map(|(cipher, ceiling)| Round { cipher: gigabytes(cipher), ceiling: gigabytes(ceiling) });
        assert_eq!(Throughput::of(&rounds), Throughput { gbps: 3.0, ceiling_ratio: 0.75 });
    }
}
