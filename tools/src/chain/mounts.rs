//! What is mounted where: `/proc/self/mountinfo` (proc_pid_mountinfo(5)).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::error::ChainError;

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// One mount.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// Where.
    pub(super) dir: PathBuf,
    /// Major and minor number of its device, as in `7:3`.
    pub(super) device: String,
    /// What it calls its source.
    pub(super) source: String,
}

/// Every mount, in the order in which they were made.
///
/// # Errors
/// When /proc is not there.
pub(super) fn all() -> Result<Vec<Mount>, ChainError> {
    let text = std::fs::read(MOUNTINFO).map_err(ChainError::io("read", MOUNTINFO))?;
    Ok(text.split(|byte| *byte == b'\n').filter_map(parse).collect())
}

/// What is mounted at `dir`, topmost.
///
/// # Errors
/// As [`all`].
pub(super) fn at(dir: &Path) -> Result<Option<Mount>, ChainError> {
    Ok(all()?.into_iter().rfind(|mount| mount.dir == dir))
}

/// Where the filesystems of a device are mounted, the last one first.
///
/// # Errors
/// As [`all`].
pub(super) fn of_device(number: &str) -> Result<Vec<PathBuf>, ChainError> {
    Ok(all()?.into_iter().rev().filter(|mount| mount.device == number).map(|mount| mount.dir).collect())
}

/// A path with its directory resolved, but not itself: looking at a mount whose server is dead fails.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, ChainError> {
    let failed = |error| ChainError::io("find", path)(error);
    let path = std::path::absolute(path).map_err(failed)?;
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => {
            let whole = parent.canonicalize().map_err(|error| ChainError::io("find", parent)(error))?.join(name);
            // A symbolic link to a directory is as good as the directory.
            Ok(whole.canonicalize().unwrap_or(whole))
        }
        _ => Ok(path),
    }
}

/// `36 35 98:0 /root /dir options optional… - type source options`
fn parse(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|byte| *byte == b' ');
    let device = String::from_utf8_lossy(words.nth(2)?).into_owned();
    let dir = PathBuf::from(unescape(words.nth(1)?));
    let mut words = words.skip_while(|word| *word != b"-");
    let source = unescape(words.nth(2)?).to_string_lossy().into_owned();
    Some(Mount { dir, device, source })
}

/// Space, tab, newline and backslash are written as three octal digits.
fn unescape(word: &[u8]) -> OsString {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.filter(|_| *first == b'\\').and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_and_without_optional_fields() {
        let plain = b"36 35 7:3 / /mnt/a\\040b rw,noatime - ext4 /dev/loop3 rw";
        let expected = Mount { dir: "/mnt/a b".into(), device: "7:3".into(), source: "/dev/loop3".into() };
        assert_eq!(parse(plain), Some(expected));
        let shared = b"36 35 0:44 / /x rw shared:1 master:2 - fuse.sear sear:a\\134b rw";
        let expected = Mount { dir: "/x".into(), device: "0:44".into(), source: "sear:a\\b".into() };
        assert_eq!(parse(shared), Some(expected));
        assert_eq!(parse(b"nonsense"), None);
    }

    #[test]
    fn the_root_is_mounted() {
        assert!(at(Path::new("/")).unwrap().is_some());
        assert!(at(Path::new("/no/such/mount")).unwrap().is_none());
    }
}
