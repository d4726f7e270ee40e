//! A file as a block device.

use std::path::{Path, PathBuf};

use super::run::Run;

/// Whether a loop device takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopMode {
    /// It does.
    ReadWrite,
    /// It refuses them.
    ReadOnly,
}

/// A loop device. Dropped, it is detached.
pub struct LoopDevice {
    path: PathBuf,
}

impl LoopDevice {
    /// Makes a block device of `file`.
    #[must_use]
    pub fn attach(file: &Path, mode: LoopMode) -> Self {
        let options: &[&str] = if mode == LoopMode::ReadOnly { &["--read-only"] } else { &[] };
        let path = Run::new("losetup").words("--find --show").args(options).arg(file).ok();
        Self { path: PathBuf::from(path.trim()) }
    }

    /// The device.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        Run::new("losetup").arg("-d").arg(&self.path).succeeds();
    }
}
