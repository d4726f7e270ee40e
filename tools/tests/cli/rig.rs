//! A state directory, a place for volumes, and the binary under test.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Everything that one test uses; removed at its end.
pub(crate) struct Rig {
    dir: TempDir,
    /// What each run finds in its environment, or, without a value, does not find there.
    variables: Vec<(&'static str, Option<OsString>)>,
}

/// What a run left.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::Builder::new().prefix("sear-cli-").tempdir().unwrap(), variables: Vec::new() }
    }

    /// The same with an environment variable set, or removed.
    pub(crate) fn with(mut self, name: &'static str, value: Option<impl Into<OsString>>) -> Self {
        self.variables.push((name, value.map(Into::into)));
        self
    }

    fn environ<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        self.variables.iter().fold(command, |command, (name, value)| match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.path("state")
    }

    /// A volume of 8 MiB made by `sear volume create`.
    pub(crate) fn volume(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        self.run(["volume", "create", path.to_str().unwrap(), "--size", "8M"]).ok();
        path
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sear"));
        command.arg("--state-dir").arg(self.state_dir()).stdin(Stdio::null());
        self.environ(&mut command);
        command
    }

    /// Runs to the end, without a terminal.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        // A session of its own has no controlling terminal, so that a prompt cannot reach the person who runs the test.
        let mut command = Command::new("setsid");
        // The limit ends a command that serves where it should refuse; such a test fails with code 124.
        command.args(["--wait", "timeout", "120", env!("CARGO_BIN_EXE_sear"), "--state-dir"]).arg(self.state_dir());
        Ran::from(self.environ(&mut command).args(arguments).stdin(Stdio::null()).output().unwrap())
    }

    /// Starts `sear up --json` with a socket in the rig, and waits until it is ready.
    pub(crate) fn up<S: AsRef<OsStr>>(&self, volume: &Path, arguments: impl IntoIterator<Item = S>) -> Up {
        let mut command = self.command();
        command.args(["--json", "up"]).arg(volume).args(arguments);
        Self::start(command)
    }

    /// Starts `sear daemon --json` and waits until it is ready.
    pub(crate) fn daemon(&self) -> Up {
        let mut command = self.command();
        command.args(["--json", "daemon"]);
        Self::start(command)
    }

    /// The same, its log in a file.
    pub(crate) fn daemon_with_log(&self) -> (Up, PathBuf) {
        let (mut command, log) = (self.command(), self.path("log"));
        command.args(["--json", "daemon"]).stderr(fs::File::create(&log).unwrap());
        (Self::start(command), log)
    }

    fn start(mut command: Command) -> Up {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no ready line but {line:?}"));
        let up = Up { child, ready };
        assert!(up.ready.get("error").is_none(), "{}", up.ready);
        up
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Expects success and gives standard output.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Expects success and one JSON document.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// Expects an exit code and, in the messages, every one of `words`.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no {word:?} in: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

/// Looks again and again until it holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed().as_secs() < 60, "waited in vain for {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// A serving process, killed if the test forgets it.
pub(crate) struct Up {
    child: Child,
    pub(crate) ready: Value,
}

impl Up {
    pub(crate) fn uri(&self) -> &str {
        self.ready["uri"].as_str().unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    pub(crate) fn wait(&mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// SIGTERM, and an orderly end.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        assert_eq!(self.wait(), 0);
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Runs another program; `None` when it is not installed, which is told.
pub(crate) fn tool<S: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = S>) -> Option<Ran> {
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    match command.stdin(Stdio::null()).output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("SKIPPED: {program} is not installed");
            None
        }
        output => Some(Ran::from(output.unwrap())),
    }
}
