//! Latencies of requests, and the times in which rekeys ran or did not.

use std::time::Duration;

use super::load::millis;

/// One request.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    /// When it ended, in milliseconds from the beginning.
    pub(crate) at: u64,
    /// How long it took.
    pub(crate) nanos: u64,
}

/// All requests.
#[derive(Default)]
pub(crate) struct Latencies(Vec<Sample>);

impl Latencies {
    /// Adds a log of fio: time in ms, latency in ns, and what does not matter here, separated by commas.
    pub(crate) fn add(&mut self, log: &str) {
        let sample = |line: &str| {
            let mut fields = line.split(',').map(|field| field.trim().parse::<u64>());
            Some(Sample { at: fields.next()?.ok()?, nanos: fields.next()?.ok()? })
        };
        self.0.extend(log.lines().filter_map(sample));
    }

    pub(crate) fn all(&self) -> &[Sample] {
        &self.0
    }

    pub(crate) fn longest(&self) -> Duration {
        Duration::from_nanos(self.0.iter().map(|sample| sample.nanos).max().unwrap_or_default())
    }

    /// The latency below which so many thousandths of the requests in these times stayed.
    pub(crate) fn quantile(&self, times: &[(u64, u64)], thousandths: usize) -> Duration {
        let is_in = |sample: &&Sample| times.iter().any(|(from, to)| (*from..*to).contains(&sample.at));
        let mut nanos: Vec<u64> = self.0.iter().filter(is_in).map(|sample| sample.nanos).collect();
        nanos.sort_unstable();
        let at = nanos.len() * thousandths / 1000;
        Duration::from_nanos(nanos.get(at.min(nanos.len().saturating_sub(1))).copied().unwrap_or_default())
    }
}

/// The times that are compared, in milliseconds.
#[derive(Default)]
pub(crate) struct Windows {
    pub(crate) quiet: Vec<(u64, u64)>,
    pub(crate) busy: Vec<(u64, u64)>,
}

impl Windows {
    pub(crate) fn quiet(&mut self, from: Duration, long: Duration) {
        self.quiet.push((millis(from), millis(from + long)));
    }

    pub(crate) fn busy(&mut self, from: Duration, long: Duration) {
        self.busy.push((millis(from), millis(from + long)));
    }
}
