//! What a run came to.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::Rekey;
use super::latency::{Latencies, Windows};

pub(crate) struct Summary {
    volumes: usize,
    rekeys: Vec<Rekey>,
    requests: usize,
    longest: Duration,
    /// The median and the 99th percentile without and with rekeys.
    quiet: (Duration, Duration),
    busy: (Duration, Duration),
}

impl Summary {
    pub(crate) fn of(volumes: usize, rekeys: &[Rekey], latencies: &Latencies, windows: &Windows) -> Self {
        let both = |times: &[(u64, u64)]| (latencies.quantile(times, 500), latencies.quantile(times, 990));
        Self {
            volumes,
            rekeys: rekeys.to_vec(),
            requests: latencies.all().len(),
            longest: latencies.longest(),
            quiet: both(&windows.quiet),
            busy: both(&windows.busy),
        }
    }

    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }

    fn ratio(&self) -> f64 {
        self.busy.1.as_secs_f64() / self.quiet.1.as_secs_f64().max(1e-9)
    }

    /// The median time of a rekey.
    fn rekey(&self) -> Duration {
        let mut took: Vec<Duration> = self.rekeys.iter().map(|rekey| rekey.took).collect();
        took.sort_unstable();
        took.get(took.len() / 2).copied().unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        format!(
            "{} rekeys of {} volumes, {:.0} ms each (median); {} verified requests, the longest {:.1} ms\n\
             without rekeys: median {:.2} ms, p99 {:.2} ms; with: {:.2} ms, {:.2} ms; p99 ratio {:.2}",
            self.rekeys.len(),
            self.volumes,
            ms(self.rekey()),
            self.requests,
            ms(self.longest),
            ms(self.quiet.0),
            ms(self.quiet.1),
            ms(self.busy.0),
            ms(self.busy.1),
            self.ratio(),
        )
    }

    pub(crate) fn write(&self, folder: &Path, plot: &str) {
        let rekeys: Vec<_> = self
            .rekeys
            .iter()
            .map(|rekey| json!({"at_ms": ms(rekey.at), "took_ms": ms(rekey.took), "to": rekey.to.name()}))
            .collect();
        let json = json!({"volumes": self.volumes, "requests": self.requests, "longest_ms": ms(self.longest),
            "quiet": {"median_ms": ms(self.quiet.0), "p99_ms": ms(self.quiet.1)},
            "busy": {"median_ms": ms(self.busy.0), "p99_ms": ms(self.busy.1)},
            "p99_ratio": self.ratio(), "rekeys": rekeys});
        let page = format!("# Rekeys under load\n\n{}\n\n![latency over time](soak.svg)\n", self.text());
        fs::create_dir_all(folder).expect("the folder of the report can be made");
        for (name, text) in [("soak.json", format!("{json:#}\n")), ("soak.md", page), ("soak.svg", plot.to_owned())] {
            fs::write(folder.join(name), text).expect("the report can be written");
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
