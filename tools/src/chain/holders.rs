//! Who keeps a mount busy, as far as /proc tells: open files, working directories, programs and mapped files. Other users'
//! processes are seen by root only; what the kernel itself holds (swap files, loop devices) is not seen at all.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// A process with something open below a directory.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Its number.
    pid: u32,
    /// Its name, at most 15 bytes.
    name: String,
    /// One of the things that it has open.
    path: PathBuf,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({}: {})", self.pid, self.name, self.path.display())
    }
}

/// The processes that use something below `dir`.
pub(super) fn of(dir: &Path) -> Vec<Holder> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| holder(pid, dir)).collect()
}

fn holder(pid: u32, dir: &Path) -> Option<Holder> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let links = ["cwd", "root", "exe"].map(|link| process.join(link)).into_iter();
    let entries = |folder: &str| fs::read_dir(process.join(folder)).into_iter().flatten().flatten();
    let mut links = links.chain(entries("fd").chain(entries("map_files")).map(|entry| entry.path()));
    let path = links.find_map(|link| fs::read_link(link).ok().filter(|path| path.starts_with(dir)))?;
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default().trim().to_owned();
    Some(Holder { pid, name, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_an_open_file_is_found_and_another_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        assert_eq!(of(&path), []);
        let open = fs::File::create(path.join("open")).unwrap();
        let found = of(&path);
        assert_eq!(found.iter().map(|holder| holder.pid).collect::<Vec<_>>(), [std::process::id()]);
        assert_eq!(found[0].path, path.join("open"));
        drop(open);
        assert_eq!(of(&path), []);
    }
}
