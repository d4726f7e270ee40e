//! Who uses a block device: the kernel on somebody's behalf (a mounted filesystem, a mapping, swap), and processes that
//! have it open.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// The users of a block device, as far as this process can see them: those of other users and of other process
/// namespaces it cannot.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// Something has claimed it or a partition of it.
    pub claimed: bool,
    /// Processes that have it or a partition of it open: number and name.
    pub processes: Vec<(u32, String)>,
}

impl Users {
    /// Of the device called `name` in `/sys/block`.
    pub(super) fn of(name: &str) -> Self {
        let mut claim = OpenOptions::new();
        claim.read(true).custom_flags(OFlags::EXCL.bits().cast_signed());
        let claimed = claim.open(Path::new("/dev").join(name)).is_err_and(|error| is_busy(&error));
        Self { claimed, processes: openers(&numbers(name)) }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.claimed && self.processes.is_empty()
    }
}

impl fmt::Display for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// More are not named.
        const NAMED: usize = 5;
        if self.claimed {
            f.write_str("it is mounted, or claimed in another way")?;
        }
        let mut separator = if self.claimed { "; " } else { "" };
        for (process, name) in self.processes.iter().take(NAMED) {
            write!(f, "{separator}process {process} ({name}) has it open")?;
            separator = "; ";
        }
        match self.processes.len().checked_sub(NAMED) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "; and {more} more"),
        }
    }
}

fn is_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ResourceBusy
}

/// The device numbers of a disk and its partitions.
fn numbers(name: &str) -> HashSet<u64> {
    let disk = Path::new("/sys/block").join(name);
    let parts = fs::read_dir(&disk).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let number = |folder: &Path| {
        let text = fs::read_to_string(folder.join("dev")).ok()?;
        let (major, minor) = text.trim().split_once(':')?;
        Some(rustix::fs::makedev(major.parse().ok()?, minor.parse().ok()?))
    };
    std::iter::once(disk.clone()).chain(parts).filter_map(|folder| number(&folder)).collect()
}

/// The processes that have one of these open.
fn openers(numbers: &HashSet<u64>) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for process in fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok) {
        let Some(number) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let files = fs::read_dir(process.path().join("fd")).into_iter().flatten().filter_map(Result::ok);
        // Only nodes of devices are asked further: a file on a network that is gone would not answer.
        let nodes =
            files.map(|file| file.path()).filter(|path| fs::read_link(path).is_ok_and(|to| to.starts_with("/dev")));
        let mut devices = nodes.filter_map(|path| fs::metadata(path).ok());
        if devices.any(|file| file.mode() & 0o170_000 == 0o060_000 && numbers.contains(&file.rdev())) {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            found.push((number, name.trim().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_has_no_users() {
        assert!(Users::of("no-such-disk").is_empty());
    }

    #[test]
    fn users_are_told_in_a_line() {
        let mut users = Users { claimed: true, processes: vec![(7, "fio".to_owned())] };
        assert_eq!(users.to_string(), "it is mounted, or claimed in another way; process 7 (fio) has it open");
        users.processes = (0..7).map(|n| (n, "dd".to_owned())).collect();
        users.claimed = false;
        assert!(users.to_string().ends_with("process 4 (dd) has it open; and 2 more"));
    }
}
