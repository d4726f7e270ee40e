//! What is on the block device: recognised (blkid), made (mkfs), checked (e2fsck), mounted (mount).

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::ValueEnum;

use super::device::Device;
use super::error::ChainError;
use super::program::{Program, said};

const BLKID: Program = Program("blkid", "util-linux");
const E2FSCK: Program = Program("e2fsck", "e2fsprogs");
const MKFS_EXT4: Program = Program("mkfs.ext4", "e2fsprogs");
const MKFS_XFS: Program = Program("mkfs.xfs", "xfsprogs");
const MOUNT: Program = Program("mount", "mount");

/// Nothing was recognised (blkid(8)).
const BLKID_NOTHING: i32 = 2;
/// The least exit code of e2fsck(8) that leaves errors behind; below are "clean", "repaired" and "repaired, reboot".
const E2FSCK_UNREPAIRED: i32 = 4;

/// A filesystem that is made on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// ext4
    Ext4,
    /// XFS; at least 300M
    Xfs,
}

impl Kind {
    /// As blkid calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        }
    }

    /// Makes it, without discarding the device first: over FUSE that would write every byte of it.
    pub(super) fn make(self, device: &Device) -> Result<(), ChainError> {
        let (program, options): (_, &[&str]) = match self {
            Self::Ext4 => (MKFS_EXT4, &["-q", "-E", "nodiscard"]),
            Self::Xfs => (MKFS_XFS, &["-q", "-K"]),
        };
        let arguments = options.iter().map(OsStr::new).chain([device.path.as_os_str()]);
        program.run(arguments).map(drop)
    }
}

/// What a device holds, in blkid's words: a filesystem's type, or something that cannot be mounted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing known.
    Nothing,
    /// A filesystem.
    Filesystem(String),
    /// Anything else.
    Other(String),
}

/// Looks at the device itself, not at blkid's cache.
pub(super) fn content(device: &Device) -> Result<Content, ChainError> {
    let output = BLKID.output([OsStr::new("-p"), OsStr::new("-o"), OsStr::new("export"), device.path.as_os_str()])?;
    match output.status.code() {
        Some(0) => Ok(parse(&String::from_utf8_lossy(&output.stdout))),
        Some(BLKID_NOTHING) => Ok(Content::Nothing),
        _ => Ok(Content::Other(format!("something ambiguous ({})", said(&output)))),
    }
}

fn parse(export: &str) -> Content {
    let value = |key: &str| export.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    match (value("TYPE"), value("USAGE"), value("PTTYPE")) {
        (Some(kind), Some("filesystem"), _) => Content::Filesystem(kind.to_owned()),
        (Some(kind), _, _) => Content::Other(kind.to_owned()),
        (None, _, Some(table)) => Content::Other(format!("a partition table ({table})")),
        (None, _, None) => Content::Nothing,
    }
}

/// Repairs what can be repaired without asking, as a machine that boots does. XFS repairs itself when it is mounted.
pub(super) fn check(kind: &str, device: &Device, volume: &Path) -> Result<(), ChainError> {
    if !kind.starts_with("ext") {
        return Ok(());
    }
    let output = E2FSCK.output([OsStr::new("-p"), device.path.as_os_str()])?;
    match output.status.code() {
        Some(code) if code < E2FSCK_UNREPAIRED => Ok(()),
        _ => Err(ChainError::Unclean { volume: volume.to_owned(), said: said(&output) }),
    }
}

/// Mounts it.
pub(super) fn mount(
    kind: &str,
    device: &Device,
    dir: &Path,
    options: Option<&str>,
    read_only: bool,
) -> Result<(), ChainError> {
    let access = if read_only { "ro" } else { "rw" };
    let options = options.map_or_else(|| access.to_owned(), |options| format!("{access},{options}"));
    let mut arguments: Vec<OsString> = ["-t", kind, "-o", &options, "--"].map(OsString::from).into();
    arguments.extend([device.path.clone().into(), dir.into()]);
    MOUNT.run(arguments).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_blkid_says_is_a_filesystem_or_not() {
        let ext4 = "DEVNAME=/dev/loop0\nUUID=x\nTYPE=ext4\nUSAGE=filesystem\n";
        assert_eq!(parse(ext4), Content::Filesystem("ext4".to_owned()));
        let lvm = "DEVNAME=/dev/loop0\nTYPE=LVM2_member\nUSAGE=raid\n";
        assert_eq!(parse(lvm), Content::Other("LVM2_member".to_owned()));
        assert_eq!(parse("PTUUID=x\nPTTYPE=gpt\n"), Content::Other("a partition table (gpt)".to_owned()));
        assert_eq!(parse("DEVNAME=/dev/loop0\n"), Content::Nothing);
    }
}
