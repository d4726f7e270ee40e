//! The server at the lower end of a chain: `sear up` as a process of its own, in a session of its own, so that Ctrl-C at the
//! terminal does not reach it while something is mounted on it.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::ValueEnum;
use rustix::io::Errno;
use rustix::process::{Pid, Signal};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::error::ChainError;

/// Where a server that has been started for a chain writes once it is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Background {
    /// To the standard error that it was given.
    Inherit,
    /// To the volume's log in the run directory.
    Log,
}

impl Background {
    /// The value on the command line.
    fn name(self) -> &'static str {
        match self {
            Self::Inherit => "inherit",
            Self::Log => "log",
        }
    }

    /// Leaves the terminal and the working directory. Called before there are threads.
    pub(crate) fn detach(self) {
        // It fails for a leader of a process group, who then stays in its session: somebody has typed this option.
        if let Err(error) = rustix::process::setsid() {
            tracing::debug!(%error, "no session of its own");
        }
        if let Err(error) = rustix::process::chdir("/") {
            tracing::debug!(%error, "the working directory stays");
        }
    }

    /// Opens what the starter's pipes are to be exchanged for: later, nothing can be opened any more.
    ///
    /// # Errors
    /// When the log or `/dev/null` cannot be opened.
    pub(crate) fn open(self, log: &Path) -> Result<Standby, ChainError> {
        let null = OpenOptions::new().write(true).open("/dev/null").map_err(ChainError::io("open", "/dev/null"))?;
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true).mode(0o600);
        let log = (self == Self::Log).then(|| options.open(log).map_err(ChainError::io("open", log))).transpose()?;
        Ok(Standby { null, log })
    }
}

/// What takes the place of the pipes to the starter.
pub(crate) struct Standby {
    null: File,
    log: Option<File>,
}

impl Standby {
    /// Lets go of what the starter's pipes are for: it has heard what it waited for.
    ///
    /// # Errors
    /// The operating system's refusal.
    pub(crate) fn hand_over(self) -> Result<(), ChainError> {
        let failed = |error: Errno| ChainError::io("close", "the pipes to the starter")(error.into());
        rustix::stdio::dup2_stdout(&self.null).map_err(failed)?;
        self.log.map_or(Ok(()), |log| rustix::stdio::dup2_stderr(&log)).map_err(failed)
    }
}

/// What a server says when it is ready; the part of it that a chain needs.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ready {
    pub(super) uuid: Uuid,
    pub(super) name: String,
    /// The backing, absolute.
    pub(super) path: PathBuf,
    pub(super) sector_size: u32,
    pub(super) read_only: bool,
    pub(super) created: bool,
    /// The FUSE file, if it offers one.
    #[serde(default)]
    pub(super) file: Option<PathBuf>,
    /// The ublk device, if it made one.
    #[serde(default)]
    pub(super) block_device: Option<BlockDevice>,
}

/// A ublk device.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct BlockDevice {
    pub(super) path: PathBuf,
}

/// A server that is ready.
pub(super) struct Server {
    pub(super) child: Child,
    pub(super) ready: Ready,
}

impl Server {
    /// Starts this program once more, with `arguments`, and waits until it is ready.
    ///
    /// # Errors
    /// Whatever keeps the server from serving, as it said.
    pub(super) fn start(arguments: Vec<OsString>, background: Background) -> Result<Self, ChainError> {
        let program = std::env::current_exe().map_err(ChainError::io("find", "/proc/self/exe"))?;
        let mut command = Command::new(&program);
        command.args(["--json"]).args(arguments).args(["--background", background.name()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(ChainError::io("start", program))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            // A server that dies closes its end: then the line is empty, or not whole.
            let _read = BufReader::new(stdout).read_line(&mut line);
        }
        let document: Value = serde_json::from_str(&line).unwrap_or_default();
        match serde_json::from_value(document.clone()) {
            Ok(ready) => Ok(Self { child, ready }),
            Err(_) => Err(failure(&document, &mut child)),
        }
    }
}

/// Asks a process to end in order.
pub(super) fn stop(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    // One that has ended has nothing left to be asked for.
    let _gone_already = pid.map(|pid| rustix::process::kill_process(pid, Signal::TERM));
}

/// The server's own error, told as ours.
fn failure(document: &Value, child: &mut Child) -> ChainError {
    let error = &document["error"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let causes = error["causes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let ended = || match child.wait() {
        Ok(status) => format!("the server ended before it was ready ({status})"),
        Err(error) => format!("the server is lost: {error}"),
    };
    let message = text(&error["message"]).unwrap_or_else(ended);
    let message = [message.as_str()].into_iter().chain(causes).collect::<Vec<_>>().join(": ");
    let exit_code = error["exit_code"].as_u64().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    ChainError::Server { exit_code, message, hint: text(&error["hint"]) }
}
