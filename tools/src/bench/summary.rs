//! From the bytes and times of the rounds to the two numbers that are shown.

use std::time::Instant;

/// What ran in one slice of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Done {
    /// Bytes, of all threads.
    pub(super) bytes: u64,
    /// When the first thread started.
    pub(super) start: Instant,
    /// When the last one ended.
    pub(super) end: Instant,
}

impl Done {
    /// The work of one thread more in the same slice. Where threads outnumber cores they run one after the other, so
    /// their own times would not do.
    fn beside(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// In 10⁹ bytes per second.
    #[expect(clippy::cast_precision_loss, reason = "a slice of time has far fewer than 2^53 bytes")]
    fn gbps(self) -> f64 {
        self.bytes as f64 / self.end.duration_since(self.start).as_secs_f64() / 1e9
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
    use std::time::Duration;

    use super::*;

    fn done(start: Instant, bytes: u64, from: u64, to: u64) -> Done {
        let after = |millis| start + Duration::from_millis(millis);
        Done { bytes, start: after(from), end: after(to) }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0]), 3.0);
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 100.0, 1.0, 2.0]), 3.0);
    }

    #[test]
    fn threads_add_their_bytes_from_the_first_start_to_the_last_end() {
        let start = Instant::now();
        let one = Round { cipher: done(start, 5, 0, 10), ceiling: done(start, 6, 20, 25) };
        let other = Round { cipher: done(start, 7, 10, 40), ceiling: done(start, 8, 19, 23) };
        let both = Round { cipher: done(start, 12, 0, 40), ceiling: done(start, 14, 19, 25) };
        assert_eq!(one.beside(other), both);
        assert_eq!(done(start, 3_000_000_000, 500, 2000).gbps(), 2.0);
    }

    #[test]
    fn each_ratio_is_taken_within_its_round_before_the_median() {
        let start = Instant::now();
        let gigabytes = |count: u64| done(start, count * 1_000_000_000, 0, 1000);
        let rounds = [(1, 2), (8, 10), (3, 4)]
            .map(|(cipher, ceiling)| Round { cipher: gigabytes(cipher), ceiling: gigabytes(ceiling) });
        assert_eq!(Throughput::of(&rounds), Throughput { gbps: 3.0, ceiling_ratio: 0.75 });
    }
}
