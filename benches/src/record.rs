//! From criterion's files to a record that people read and programs compare.

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;

/// Writes `README.md`, which is how the report prints itself, and `results.json` into `folder`, which it returns.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_report(folder: PathBuf, report: &(impl Serialize + Display)) -> io::Result<PathBuf> {
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("results.json"), serde_json::to_string_pretty(report)? + "\n")?;
    fs::write(folder.join("README.md"), report.to_string())?;
    Ok(folder)
}

/// One benchmark's outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// Group of the benchmark.
    pub group: String,
    /// Its name inside the group.
    pub name: String,
    /// Median time of one operation in nanoseconds.
    pub median_ns: f64,
    /// Lower and upper bound of the median's 95 % confidence interval, in nanoseconds.
    pub interval_ns: [f64; 2],
    /// Bytes that one operation handles, if that is what it does.
    pub bytes: Option<u64>,
}

/// Everything measured in one run on one machine.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Day of the run, `YYYY-MM-DD`.
    pub date: String,
    /// Commit that was measured.
    pub commit: String,
    /// Where.
    pub machine: Machine,
    /// In the order of group and name.
    pub measurements: Vec<Measurement>,
}

/// The parts used of criterion's `benchmark.json`.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    value_str: Option<String>,
    /// `{"Bytes": n}`, another unit, or null.
    throughput: serde_json::Value,
}

/// The parts used of criterion's `estimates.json`.
#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

/// All measurements under criterion's folder, usually `target/criterion`.
///
/// # Errors
/// When a file cannot be read or is not what criterion writes.
pub fn gather(folder: &Path) -> io::Result<Vec<Measurement>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() && path.ends_with("new") {
                found.push(measurement(&path)?);
            } else if path.is_dir() {
                folders.push(path);
            }
        }
    }
    found.sort_by_cached_key(|measurement| (measurement.group.clone(), natural(&measurement.name)));
    Ok(found)
}

/// A key that sorts numbers inside names by value.
fn natural(name: &str) -> Vec<(u64, String)> {
    name.split(['/', '-']).map(|part| (part.parse().unwrap_or(0), part.to_owned())).collect()
}

fn measurement(folder: &Path) -> io::Result<Measurement> {
    let benchmark: Benchmark = serde_json::from_slice(&fs::read(folder.join("benchmark.json"))?)?;
    let Estimates { median } = serde_json::from_slice(&fs::read(folder.join("estimates.json"))?)?;
    let name = [benchmark.function_id, benchmark.value_str].into_iter().flatten().collect::<Vec<_>>().join("/");
    let bytes = benchmark.throughput["Bytes"].as_u64();
    let interval_ns = [median.confidence_interval.lower_bound, median.confidence_interval.upper_bound];
    Ok(Measurement { group: benchmark.group_id, name, median_ns: median.point_estimate, interval_ns, bytes })
}

/// The commit that is checked out, marked if files differ from it.
///
/// # Errors
/// When git cannot be run or does not answer with text.
pub fn commit() -> io::Result<String> {
    let output = Command::new("git").args(["describe", "--always", "--dirty"]).output()?;
    let name = String::from_utf8(output.stdout).map_err(io::Error::other)?;
    Ok(name.trim().to_owned())
}

impl Record {
    /// Writes `results.json` and `README.md` into `<root>/<machine>/<date>/`, which it returns.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, root: &Path) -> io::Result<PathBuf> {
        write_report(root.join(&self.machine.slug).join(&self.date), self)
    }
}

impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Machine { slug, model, cpus, features, kernel, load } = &self.machine;
        writeln!(f, "# {slug}, {}\n", self.date)?;
        writeln!(f, "{model}, {cpus} processors, {}, Linux {kernel}, commit {}.", features.join(" "), self.commit)?;
        writeln!(f, "Load average at the end: {load}. Far above 1, other work disturbed the run.\n")?;
        writeln!(f, "Median time of one operation; the spread is half the 95 % confidence interval of the median.")?;
        writeln!(f, "How it was made: [docs/benchmarking.md](../../../../docs/benchmarking.md).")?;
        let mut group = "";
        for measurement in &self.measurements {
            if measurement.group != group {
                group = &measurement.group;
                writeln!(f, "\n## {group}\n\n| benchmark | time | spread | throughput |\n|---|---:|---:|---:|")?;
            }
            f.write_str(&measurement.row())?;
        }
        Ok(())
    }
}

impl Measurement {
    fn row(&self) -> String {
        let [low, high] = self.interval_ns;
        let spread = (high - low) / 2.0 / self.median_ns * 100.0;
        // Lengths of operations are far below 2^52, so the conversion is exact.
        let throughput = self.bytes.map(|bytes| bytes as f64 / self.median_ns * 1e9 / f64::from(1 << 20));
        let throughput = throughput.map_or(String::new(), |mib| format!("{mib:.0} MiB/s"));
        format!("| {} | {} | ±{spread:.1} % | {throughput} |\n", self.name, duration(self.median_ns))
    }
}

/// A time with three or four digits and its unit.
fn duration(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns if ns < 1e9 => format!("{:.2} ms", ns / 1e6),
        ns => format!("{:.2} s", ns / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criterion(folder: &Path, name: &str, throughput: &str) {
        let folder = folder.join(name.replace('/', "_")).join("new");
        fs::create_dir_all(&folder).unwrap();
        let (function, value) = name.split_once('/').unwrap();
        let benchmark = format!(
            r#"{{"group_id":"g","function_id":"{function}","value_str":"{value}","throughput":{throughput},"x":1}}"#
        );
        let estimates = r#"{"mean":null,"median":{"confidence_interval":{"confidence_level":0.95,
            "lower_bound":990.0,"upper_bound":1010.0},"point_estimate":1000.0,"standard_error":1.0}}"#;
        fs::write(folder.join("benchmark.json"), benchmark).unwrap();
        fs::write(folder.join("estimates.json"), estimates).unwrap();
    }

    #[test]
    fn what_criterion_wrote_becomes_a_table_in_the_order_of_sizes() {
        let temp = tempfile::tempdir().unwrap();
        criterion(temp.path(), "read/131072", r#"{"Bytes":131072}"#);
        criterion(temp.path(), "read/4096", r#"{"Bytes":4096}"#);
        criterion(temp.path(), "open/1", "null");
        let measurements = gather(temp.path()).unwrap();
        let names: Vec<&str> = measurements.iter().map(|measurement| measurement.name.as_str()).collect();
        assert_eq!(names, ["open/1", "read/4096", "read/131072"]);
        assert_eq!(measurements[1].row(), "| read/4096 | 1.00 µs | ±1.0 % | 3906 MiB/s |\n");
        assert_eq!(measurements[0].row(), "| open/1 | 1.00 µs | ±1.0 % |  |\n");
    }
}
