//! A virtual machine at work, and what came of it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A guest that runs its script. Dropped, it is ended.
pub struct RunningVm {
    child: Child,
    share: TempDir,
    limit: u32,
}

/// What the script of a guest left behind.
pub struct Outcome {
    /// Its exit code.
    pub code: i32,
    /// What it printed, both streams.
    pub output: String,
    /// What QEMU and the guest's kernel printed.
    pub console: String,
    share: TempDir,
}

impl RunningVm {
    pub(super) fn new(child: Child, share: TempDir, limit: u32) -> Self {
        Self { child, share, limit }
    }

    /// Where the host finds what the guest calls `/share/NAME`.
    #[must_use]
    pub fn share(&self, name: &str) -> PathBuf {
        self.share.path().join(name)
    }

    /// Lets the script go on that waits with `await NAME`.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn tell(&self, name: &str) {
        File::create(self.share(&format!("from-host.{name}"))).expect("the file can be made");
    }

    /// Waits until the script says `tell NAME`.
    ///
    /// # Panics
    /// When the guest ends before, or does not say it within the time limit.
    pub fn await_guest(&mut self, name: &str) {
        let file = self.share(&format!("from-guest.{name}"));
        self.poll(&format!("the guest to tell `{name}`"), |vm| {
            let told = file.exists();
            assert!(told || !vm.has_ended(), "the guest ended before it told `{name}`:\n{}", vm.words());
            told
        });
    }

    /// Waits for the end of the script and of the guest.
    ///
    /// # Panics
    /// When the guest ends without the script's exit code (a panic of its kernel), or is not over within the time
    /// limit.
    #[must_use]
    pub fn wait(mut self) -> Outcome {
        self.poll("the guest to end", Self::has_ended);
        let code = fs::read_to_string(self.share("code")).unwrap_or_default();
        let code = code.trim().parse().unwrap_or_else(|_| panic!("the guest left no exit code:\n{}", self.words()));
        let (output, console) = (self.text("output"), self.text("console"));
        let share = std::mem::replace(&mut self.share, TempDir::new().expect("a temporary folder can be made"));
        Outcome { code, output, console, share }
    }

    fn poll(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(u64::from(self.limit) + 10);
        while !condition(self) {
            assert!(Instant::now() < deadline, "waited too long for {what}:\n{}", self.words());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the child can be asked").is_some()
    }

    fn words(&self) -> String {
        format!("{}\n--- console ---\n{}", self.text("output"), self.text("console"))
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.share(name)).unwrap_or_default()).into_owned()
    }
}

impl Outcome {
    /// The output of a script that had to succeed.
    ///
    /// # Panics
    /// When it did not.
    #[must_use]
    pub fn ok(&self) -> &str {
        assert_eq!(self.code, 0, "the guest's script failed:\n{}\n--- console ---\n{}", self.output, self.console);
        &self.output
    }

    /// Where the host finds what the guest called `/share/NAME`; it goes away with this value.
    #[must_use]
    pub fn share(&self, name: &str) -> PathBuf {
        self.share.path().join(name)
    }
}

impl Drop for RunningVm {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        // `timeout` hands the signal on to QEMU, which would survive its parent.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
