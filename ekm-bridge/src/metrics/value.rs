//! The three kinds of number. All are updated with relaxed atomics: a reading is a moment, not a transaction.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds in seconds for latencies from a cached read to a key server that hardly answers.
pub const LATENCY_BUCKETS: [f64; 14] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn increment(&self) {
        self.add(1);
    }

    /// `count` more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    /// Takes over a total that is counted elsewhere. A smaller one than before is ignored: a counter never falls.
    pub fn raise_to(&self, total: u64) {
        self.0.fetch_max(total, Relaxed);
    }

    /// The count.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// The number is now `value`.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Relaxed);
    }

    /// The number.
    #[must_use]
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }
}

/// How many observations fell below each of some fixed bounds, how many there were, and their sum.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [f64],
    /// One for each bound and one for what is above them all; not cumulative.
    counts: Box<[AtomicU64]>,
    /// Of durations, in nanoseconds: whole numbers add up exactly, for 584 years.
    sum: AtomicU64,
}

impl Histogram {
    /// Empty, with these upper bounds in seconds, ascending.
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        debug_assert!(bounds.is_sorted(), "bounds ascend");
        Self { bounds, counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum: AtomicU64::new(0) }
    }

    /// One more observation.
    pub fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = self.bounds.iter().position(|bound| seconds <= *bound).unwrap_or(self.bounds.len());
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.fetch_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Takes in what was observed elsewhere with the same bounds: how many in each bucket, not cumulative, and the sum of
    /// their durations in nanoseconds.
    pub fn take_in(&self, buckets: &[u64], nanos: u64) {
        for (count, more) in self.counts.iter().zip(buckets) {
            count.fetch_add(*more, Relaxed);
        }
        self.sum.fetch_add(nanos, Relaxed);
    }

    /// Bounds with the number of observations at or below each; the last bound is infinite and counts all.
    pub(super) fn cumulative(&self) -> Vec<(f64, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let mut total = 0;
        let mut add = |count: &AtomicU64| {
            total += count.load(Relaxed);
            total
        };
        bounds.zip(self.counts.iter().map(&mut add)).collect()
    }

    /// The sum of all observations in seconds.
    pub(super) fn sum_seconds(&self) -> f64 {
        Duration::from_nanos(self.sum.load(Relaxed)).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_never_falls() {
        let counter = Counter::default();
        counter.raise_to(7);
        counter.raise_to(3);
        counter.increment();
        assert_eq!(counter.get(), 8);
    }

    #[test]
    fn an_observation_on_a_bound_belongs_below_it_and_buckets_are_cumulative() {
        let histogram = Histogram::new(&[0.001, 0.01]);
        for micros in [1000, 1001, 10_000, 10_001, 60_000_000] {
            histogram.observe(Duration::from_micros(micros));
        }
        assert_eq!(histogram.cumulative(), [(0.001, 1), (0.01, 3), (f64::INFINITY, 5)]);
        assert!((histogram.sum_seconds() - 60.022_002).abs() < 1e-9, "{}", histogram.sum_seconds());
    }

    #[test]
    fn what_was_observed_elsewhere_is_as_if_it_were_observed_here() {
        let histogram = Histogram::new(&[0.001, 0.01]);
        histogram.observe(Duration::from_millis(5));
        histogram.take_in(&[2, 0, 1], 3_000_000_000);
        assert_eq!(histogram.cumulative(), [(0.001, 2), (0.01, 3), (f64::INFINITY, 4)]);
        assert!((histogram.sum_seconds() - 3.005).abs() < 1e-9);
    }

    #[test]
    fn the_latency_bounds_ascend() {
        assert!(LATENCY_BUCKETS.is_sorted_by(|a, b| a < b));
    }
}
