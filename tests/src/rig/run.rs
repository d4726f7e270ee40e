//! One program, run to its end under a time limit.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take before it is ended and the test fails, in seconds.
const DEFAULT_LIMIT: u32 = 120;

/// A program that is about to run. It gets no input.
pub struct Run {
    program: String,
    arguments: Vec<std::ffi::OsString>,
    environment: Vec<(String, std::ffi::OsString)>,
    limit: u32,
}

/// A program that failed, as expected by the test.
pub struct Failure {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Everything it printed, both streams.
    pub output: String,
}

impl Run {
    /// Prepares to run `program`, searched in `PATH` and in the folders of system tools.
    pub fn new(program: impl Into<String>) -> Self {
        Self { program: program.into(), arguments: Vec::new(), environment: Vec::new(), limit: DEFAULT_LIMIT }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// Adds the words of `line`: arguments without spaces in them.
    #[must_use]
    pub fn words(self, line: &str) -> Self {
        self.args(line.split_whitespace())
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets the time limit, in seconds.
    #[must_use]
    pub fn limit(mut self, seconds: u32) -> Self {
        self.limit = seconds;
        self
    }

    /// The program, for whoever starts it by other means.
    #[must_use]
    pub fn program(&self) -> &str {
        &self.program
    }

    /// Its arguments so far.
    #[must_use]
    pub fn arguments(&self) -> &[std::ffi::OsString] {
        &self.arguments
    }

    /// Runs the program, which must succeed, and returns its standard output.
    pub fn ok(self) -> String {
        let (line, output) = self.output();
        assert!(output.status.success(), "failed ({}): {line}\n{}", output.status, both(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs the program, which must fail by itself: neither by the time limit nor by a panic.
    pub fn fails(self) -> Failure {
        let (line, output) = self.output();
        let text = both(&output);
        assert!(!output.status.success(), "succeeded, but should have failed: {line}\n{text}");
        assert_ne!(output.status.code(), Some(124), "took too long: {line}\n{text}");
        assert!(!text.contains("panicked"), "panicked: {line}\n{text}");
        Failure { code: output.status.code(), output: text }
    }

    /// Runs the program, whatever its result; whether it succeeded.
    pub fn succeeds(self) -> bool {
        self.output().1.status.success()
    }

    fn output(self) -> (String, Output) {
        let mut line = self.program.clone();
        for argument in &self.arguments {
            let _ = write!(line, " {}", argument.to_string_lossy());
        }
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", &self.limit.to_string(), &self.program]).args(&self.arguments);
        command.env("PATH", search_path()).env("LC_ALL", "C").envs(self.environment).stdin(Stdio::null());
        let output = command.output().unwrap_or_else(|error| panic!("cannot run {line}: {error}"));
        (line, output)
    }
}

/// `PATH`, with the folders of system tools that are missing from it for ordinary users.
pub(super) fn search_path() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned()))
}

/// Looks again and again until `condition` holds; the test fails when it does not within a minute.
///
/// # Panics
/// When the minute is over.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "waited a minute for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
