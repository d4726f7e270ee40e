//! A running `sear up --fuse`: a volume as a file.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::run::{Run, wait_until};
use super::sear::{Sear, program};

/// A volume that is served as a file. Dropped, the server is ended and its mount is gone.
pub struct FileExport {
    child: Child,
    dir: PathBuf,
    log: PathBuf,
}

impl FileExport {
    /// Starts `sear up VOLUME --fuse=DIR` with more arguments, and waits until the file is there.
    ///
    /// # Panics
    /// When it does not get that far.
    pub fn start<A: AsRef<OsStr>>(sear: &Sear, volume: &Path, arguments: impl IntoIterator<Item = A>) -> Self {
        let (dir, log) = (sear.path("fuse"), sear.path("fuse-log"));
        let output = File::create(&log).expect("the log can be made");
        let mut command = Command::new(program());
        command.arg("--state-dir").arg(sear.state_dir()).arg("up").arg(volume).args(arguments);
        command.arg(format!("--fuse={}", dir.display()));
        command.stdin(Stdio::null()).stdout(output.try_clone().expect("a second handle")).stderr(output);
        let mut export = Self { child: command.spawn().expect("sear starts"), dir, log };
        wait_until("sear to serve the file", || {
            let ended = export.child.try_wait().expect("the child can be asked");
            assert!(ended.is_none(), "sear has ended ({ended:?}): {}", export.log());
            export.log().contains("Ctrl-C stops it")
        });
        export
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.dir.join("disk")
    }

    /// The server's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the server has printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Asks the server to end, with SIGTERM.
    ///
    /// # Panics
    /// When there is no such process.
    pub fn ask_to_stop(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("process ids are positive");
        kill_process(pid, Signal::TERM).expect("the server runs");
    }

    /// Waits for the server's end, which must be in order.
    ///
    /// # Panics
    /// When it is not.
    pub fn wait(mut self) {
        wait_until("sear to end", || self.child.try_wait().expect("the child can be asked").is_some());
        let status = self.child.wait().expect("the child has ended");
        assert!(status.success() && !self.log().contains("panicked"), "sear ended with {status}: {}", self.log());
    }

    /// Ends the server as an administrator does.
    pub fn stop(self) {
        self.ask_to_stop();
        self.wait();
    }
}

impl Drop for FileExport {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
            Run::new("umount").arg("--lazy").arg(&self.dir).succeeds();
        }
    }
}
