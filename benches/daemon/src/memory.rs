//! What a process holds in memory.

use std::error::Error;
use std::fs;

/// Bytes that are in memory, and of them those that belong to no file (`proc_pid_status(5)`).
pub(crate) fn resident(pid: u32) -> Result<(f64, f64), Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok((field(&status, "VmRSS:")?, field(&status, "RssAnon:")?))
}

fn field(status: &str, name: &str) -> Result<f64, Box<dyn Error>> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or_else(|| format!("no {name}"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024.0)
}
