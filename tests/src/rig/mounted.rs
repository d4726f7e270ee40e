//! A real filesystem on an export without kernel modules: nbdfuse shows the export as a file, a loop device makes it a
//! block device, and the kernel mounts that.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::run::{Run, search_path, wait_until};

/// The filesystems that the tests make.
#[derive(Clone, Copy, Debug)]
pub enum Filesystem {
    /// ext4
    Ext4,
    /// XFS
    Xfs,
}

/// An export as a block device, mounted or not. Dropped, everything comes down again, whatever state it is in.
pub struct Mounted {
    folder: TempDir,
    nbdfuse: Child,
    device: Option<String>,
    is_mounted: bool,
}

impl Mounted {
    /// Makes a block device of the export behind `uri`.
    ///
    /// # Panics
    /// When a step fails.
    #[must_use]
    pub fn attach(uri: &str) -> Self {
        let folder = TempDir::with_prefix("sear-mount-").expect("a temporary folder can be made");
        for name in ["fuse", "files"] {
            std::fs::create_dir(folder.path().join(name)).expect("the folder can be made");
        }
        let file = folder.path().join("fuse/volume");
        let mut command = Command::new("nbdfuse");
        command.arg(&file).arg(uri).env("PATH", search_path()).stdin(Stdio::null());
        let nbdfuse = command.spawn().expect("nbdfuse starts");
        let mut mounted = Self { folder, nbdfuse, device: None, is_mounted: false };
        wait_until("nbdfuse to show the volume", || file.exists());
        let device = Run::new("losetup").words("--find --show --direct-io=on").arg(&file).ok();
        mounted.device = Some(device.trim().to_owned());
        mounted
    }

    /// The loop device.
    ///
    /// # Panics
    /// Never: there is one from the beginning to the end.
    #[must_use]
    pub fn device(&self) -> &str {
        self.device.as_deref().expect("attach sets it")
    }

    /// Makes a filesystem.
    pub fn format(&self, filesystem: Filesystem) {
        match filesystem {
            Filesystem::Ext4 => Run::new("mkfs.ext4").words("-q -F").arg(self.device()).ok(),
            Filesystem::Xfs => Run::new("mkfs.xfs").words("-q -f").arg(self.device()).ok(),
        };
    }

    /// Checks the filesystem, which must be clean. It must not be mounted.
    pub fn check(&self, filesystem: Filesystem) {
        match filesystem {
            Filesystem::Ext4 => Run::new("e2fsck").words("-f -n").arg(self.device()).ok(),
            Filesystem::Xfs => Run::new("xfs_repair").arg("-n").arg(self.device()).ok(),
        };
    }

    /// Mounts the filesystem and returns where. The kernel replays its journal if there is one to replay.
    pub fn mount(&mut self) -> PathBuf {
        let files = self.files();
        Run::new("mount").arg(self.device()).arg(&files).ok();
        self.is_mounted = true;
        files
    }

    /// Unmounts the filesystem; everything has been written when this returns.
    pub fn unmount(&mut self) {
        Run::new("umount").arg(self.files()).limit(300).ok();
        self.is_mounted = false;
    }

    /// Takes everything down in order; each step must succeed.
    pub fn detach(mut self) {
        if self.is_mounted {
            self.unmount();
        }
        let device = self.device.take().expect("attach sets it");
        Run::new("losetup").args(["-d", &device]).ok();
        wait_until("the loop device to go", || !Path::new("/sys/block").join(&device[5..]).join("loop").exists());
        Run::new("fusermount3").arg("-u").arg(self.fuse()).ok();
        self.nbdfuse.wait().expect("nbdfuse ends by itself");
    }

    fn files(&self) -> PathBuf {
        self.folder.path().join("files")
    }

    fn fuse(&self) -> PathBuf {
        self.folder.path().join("fuse")
    }
}

impl Drop for Mounted {
    /// After a failure anything may be left; lazily take down what is there, in order.
    fn drop(&mut self) {
        if self.is_mounted {
            Run::new("umount").arg("--lazy").arg(self.files()).succeeds();
        }
        if let Some(device) = &self.device {
            Run::new("losetup").args(["-d", device]).succeeds();
        }
        // A dead nbdfuse leaves its mount behind; after an orderly end there is none, and this changes nothing.
        Run::new("fusermount3").words("-u -z").arg(self.fuse()).succeeds();
        let _ = self.nbdfuse.kill();
        let _ = self.nbdfuse.wait();
    }
}
