//! A loop device over a file, with direct I/O (`losetup(8)`).

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process;

/// Detached when dropped.
pub(crate) struct LoopDevice(PathBuf);

impl LoopDevice {
    /// Puts a loop device over `file`.
    ///
    /// # Errors
    /// When there is no loop device, or the file does not take direct I/O.
    pub(crate) fn over(file: &Path) -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new("losetup");
        let path = process::output(command.args(["--direct-io=on", "--show", "--find"]).arg(file))?;
        Ok(Self(path.trim().into()))
    }

    /// `/dev/loopN`.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        if let Err(error) = process::output(Command::new("losetup").arg("--detach").arg(&self.0)) {
            eprintln!("{} is still attached: {error}", self.0.display());
        }
    }
}
