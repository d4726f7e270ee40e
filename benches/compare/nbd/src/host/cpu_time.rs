//! The processor time of a server: of all its threads, and of the processes it has started (`proc(5)`,
//! `/proc/PID/stat`).

use std::fs;
use std::io;
use std::time::Duration;

use rustix::param::clock_ticks_per_second;
use rustix::process::Pid;

/// Places of the fields behind the program's name: state is the first, `utime` to `cstime` are the 12th to 15th.
const PARENT: usize = 1;
const TIMES: std::ops::Range<usize> = 11..15;

/// The processor time used so far by these processes and by all their descendants, the dead ones that were waited for
/// included. The resolution is a clock tick, usually 10 ms.
///
/// # Errors
/// When the list of processes cannot be read.
pub(crate) fn of(roots: &[Pid]) -> io::Result<Duration> {
    let ticks: u64 = family_stats(roots)?.iter().map(|stat| stat.ticks).sum();
    Ok(Duration::from_nanos(ticks * (1_000_000_000 / clock_ticks_per_second())))
}

/// These processes and all their descendants.
///
/// # Errors
/// When the list of processes cannot be read.
pub(crate) fn family(roots: &[Pid]) -> io::Result<Vec<Pid>> {
    Ok(family_stats(roots)?.iter().filter_map(|stat| Pid::from_raw(stat.pid)).collect())
}

fn family_stats(roots: &[Pid]) -> io::Result<Vec<Stat>> {
    let mut stats: Vec<Stat> = processes()?;
    let mut family: Vec<i32> = roots.iter().map(|pid| pid.as_raw_nonzero().get()).collect();
    let mut seen = 0;
    while seen < family.len() {
        let parent = family[seen];
        seen += 1;
        let children = stats.iter().filter(|stat| stat.parent == parent).map(|stat| stat.pid);
        let new: Vec<i32> = children.filter(|pid| !family.contains(pid)).collect();
        family.extend(new);
    }
    stats.retain(|stat| family.contains(&stat.pid));
    Ok(stats)
}

struct Stat {
    pid: i32,
    parent: i32,
    ticks: u64,
}

fn processes() -> io::Result<Vec<Stat>> {
    let entries = fs::read_dir("/proc")?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let pids = names.filter_map(|name| name.parse::<i32>().ok());
    // A process that has ended since it was listed has no file any more.
    Ok(pids.filter_map(|pid| Stat::parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)).collect())
}

impl Stat {
    fn parse(pid: i32, line: &str) -> Option<Self> {
        // The name is in brackets and may itself contain spaces and brackets.
        let fields: Vec<&str> = line.rsplit_once(") ")?.1.split(' ').collect();
        let times = fields.get(TIMES)?.iter().map(|field| field.parse::<u64>());
        let ticks = times.sum::<Result<u64, _>>().ok()?;
        Some(Self { pid, parent: fields.get(PARENT)?.parse().ok()?, ticks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_found_behind_a_name_with_brackets_and_spaces() {
        let line = "7 (a) b (c) S 5 7 7 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 99 1000 10";
        let stat = Stat::parse(7, line).unwrap();
        assert_eq!((stat.parent, stat.ticks), (5, 127));
        assert!(Stat::parse(7, "7 (a) S 5").is_none());
    }

    #[test]
    fn the_work_of_a_child_counts_while_it_lives_and_after() {
        let myself = rustix::process::getpid();
        let before = of(&[myself]).unwrap();
        let mut child = std::process::Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; kill -STOP $$"])
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&child);
        loop {
            let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
            if stat.contains(") T ") {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let alone = of(&[pid]).unwrap();
        assert!(alone > Duration::ZERO);
        assert!(of(&[myself]).unwrap() >= before + alone);
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        child.wait().unwrap();
        assert!(of(&[myself]).unwrap() >= before + alone);
    }
}
