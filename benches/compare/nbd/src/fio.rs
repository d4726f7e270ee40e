//! The load: `fio(1)` with its `nbd` engine, or with `libaio` and direct I/O on a file or device.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::contestant::Target;
use crate::host::cores::Cores;
use crate::host::process::{failed, not_started};

/// `nobody`: libnbd reads certificates from the home folder for anybody but root.
const NOBODY: &str = "65534";

/// What is done, and in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pattern {
    /// Reads anywhere.
    RandRead,
    /// Writes anywhere.
    RandWrite,
    /// Reads one after the other.
    Read,
    /// Writes one after the other.
    Write,
}

/// A steady load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Load {
    /// What is done.
    pub(crate) pattern: Pattern,
    /// Bytes of one operation.
    pub(crate) block: u64,
    /// Operations in flight on each connection.
    pub(crate) depth: u32,
    /// Connections.
    pub(crate) connections: u32,
}

/// What fio saw in one turn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Tally {
    /// Operations done.
    pub(crate) operations: f64,
    /// Bytes moved.
    pub(crate) bytes: f64,
    /// Operations per second.
    pub(crate) iops: f64,
    /// Bytes per second.
    pub(crate) bytes_per_s: f64,
    /// Mean time of an operation, in nanoseconds.
    pub(crate) mean_ns: f64,
}

impl Pattern {
    const fn word(self) -> &'static str {
        match self {
            Self::RandRead => "randread",
            Self::RandWrite => "randwrite",
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    const fn writes(self) -> bool {
        matches!(self, Self::RandWrite | Self::Write)
    }
}

/// Runs `load` against `target` for a time.
///
/// # Errors
/// When fio is missing, or an operation fails.
pub(crate) fn run(target: &Target, load: Load, time: Duration, cores: Cores) -> Result<Tally, Box<dyn Error>> {
    let mut options = vec![
        format!("--rw={}", load.pattern.word()),
        format!("--bs={}", load.block),
        format!("--iodepth={}", load.depth),
        format!("--numjobs={}", load.connections),
        "--group_reporting".into(),
        "--time_based".into(),
        format!("--runtime={}ms", time.as_millis()),
        // What the load itself costs is kept low: no map of blocks visited, no new content for each write.
        "--norandommap".into(),
        "--scramble_buffers=0".into(),
    ];
    if load.connections * load.depth > 1 {
        options.push("--gtod_reduce=1".into());
    }
    parse(&fio(target, &options, cores)?, load.pattern.writes())
}

/// Writes the whole target once.
///
/// # Errors
/// As [`run`].
pub(crate) fn fill(target: &Target, cores: Cores) -> Result<(), Box<dyn Error>> {
    fio(target, &["--rw=write", "--bs=1M", "--iodepth=8"].map(str::to_owned), cores)?;
    Ok(())
}

/// Writes `len` bytes in pieces of mixed sizes all over the target, reads them back, and compares.
///
/// # Errors
/// As [`run`], or when something else comes back.
pub(crate) fn verify(target: &Target, len: u64, cores: Cores) -> Result<(), Box<dyn Error>> {
    let options =
        ["--rw=randwrite", "--bssplit=4k/60:64k/30:512k/10", "--iodepth=16", "--verify=crc32c", "--verify_fatal=1"];
    let mut options = options.map(str::to_owned).to_vec();
    options.push(format!("--io_size={len}"));
    fio(target, &options, cores)?;
    Ok(())
}

fn fio(target: &Target, options: &[String], cores: Cores) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut command = match target {
        Target::Nbds(_, home) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "fio"]).env("HOME", home);
            command
        }
        Target::Nbd(_) | Target::File(_) => Command::new("fio"),
    };
    command.args(["--name=load", "--output-format=json"]);
    match target {
        Target::Nbd(uri) | Target::Nbds(uri, _) => command.args(["--ioengine=nbd", &format!("--uri={uri}")]),
        Target::File(path) => command.args(["--ioengine=libaio", "--direct=1"]).arg(filename(path)),
    };
    command.args(options).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // It may leave files of its own in the folder it runs in.
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777))?;
    let child = cores.spawn(command.current_dir(folder.path())).map_err(|error| not_started("fio", &error))?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(failed("fio", output.status, &String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(output.stdout)
}

/// fio takes a colon for the end of a name.
fn filename(path: &Path) -> String {
    format!("--filename={}", path.display().to_string().replace(':', "\\:"))
}

/// The parts used of fio's report.
#[derive(Deserialize)]
struct Printed {
    jobs: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    error: i32,
    read: Direction,
    write: Direction,
}

#[derive(Deserialize)]
struct Direction {
    total_ios: f64,
    io_bytes: f64,
    iops: f64,
    bw_bytes: f64,
    lat_ns: Latency,
}

#[derive(Deserialize)]
struct Latency {
    mean: f64,
}

fn parse(printed: &[u8], writes: bool) -> Result<Tally, Box<dyn Error>> {
    // Notes may come before the report.
    let start = printed.iter().position(|byte| *byte == b'{').ok_or("fio printed no report")?;
    let report: Printed = serde_json::from_slice(&printed[start..])?;
    let job = report.jobs.into_iter().next().ok_or("fio reports no job")?;
    if job.error != 0 {
        return Err(format!("fio reports error {}", job.error).into());
    }
    let Direction { total_ios, io_bytes, iops, bw_bytes, lat_ns } = if writes { job.write } else { job.read };
    if total_ios == 0.0 {
        return Err("fio did not finish one operation".into());
    }
    Ok(Tally { operations: total_ios, bytes: io_bytes, iops, bytes_per_s: bw_bytes, mean_ns: lat_ns.mean })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(error: i32, reads: u32) -> Vec<u8> {
        let direction = |count: u32| {
            format!(
                r#"{{"total_ios":{count},"io_bytes":8192,"iops":100.5,"bw_bytes":411648,"lat_ns":{{"mean":12.5}},"x":1}}"#
            )
        };
        let (read, write) = (direction(reads), direction(7));
        format!(r#"note: a line before {{"jobs":[{{"error":{error},"read":{read},"write":{write}}}]}}"#)
            .replacen("note: a line before ", "note: a line before\n", 1)
            .into_bytes()
    }

    #[test]
    fn a_report_is_found_behind_notes_and_gives_the_direction_that_was_loaded() {
        let tally = parse(&printed(0, 2), false).unwrap();
        let expected = Tally { operations: 2.0, bytes: 8192.0, iops: 100.5, bytes_per_s: 411_648.0, mean_ns: 12.5 };
        assert_eq!(tally, expected);
        assert_eq!(parse(&printed(0, 2), true).unwrap().operations, 7.0);
    }

    #[test]
    fn a_turn_without_operations_or_with_an_error_is_no_result() {
        assert!(parse(&printed(0, 0), false).unwrap_err().to_string().contains("one operation"));
        assert!(parse(&printed(5, 2), false).unwrap_err().to_string().contains("error 5"));
        assert!(parse(b"nothing", false).is_err());
    }
}
