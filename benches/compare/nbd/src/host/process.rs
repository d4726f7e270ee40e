//! Programs that run for a moment, and servers that run until they are stopped.

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::cores::Cores;

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(5);

/// What a program printed.
///
/// # Errors
/// When it is not installed, or it failed; the message then has its name and what it complained about.
pub(crate) fn output(command: &mut Command) -> Result<String, Box<dyn Error>> {
    let name = name_of(command);
    let output = command.stdin(Stdio::null()).output().map_err(|error| not_started(&name, &error))?;
    if !output.status.success() {
        return Err(failed(&name, output.status, &String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The message for a program that did not start.
pub(crate) fn not_started(name: &str, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        format!("`{name}` is not installed")
    } else {
        format!("cannot start `{name}`: {error}")
    }
}

/// The message for a program that ended with a failure.
pub(crate) fn failed(name: &str, status: ExitStatus, complaint: &str) -> String {
    let complaint = complaint.lines().map(str::trim).filter(|line| !line.is_empty()).take(3).collect::<Vec<_>>();
    format!("`{name}` ended with {status}: {}", complaint.join("; "))
}

fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned()
}

/// A running server. It is told to end by SIGTERM when dropped, and killed if it does not.
pub(crate) struct Server {
    name: String,
    pid: Pid,
    /// Not there when the server has put itself into the background.
    child: Option<Child>,
    log: PathBuf,
}

impl Server {
    /// Starts a server on these processors. What it prints goes to `log`. Its standard input stays open until it ends.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub(crate) fn start(command: &mut Command, cores: Cores, log: PathBuf) -> Result<Self, Box<dyn Error>> {
        let name = name_of(command);
        let file = File::create(&log)?;
        command.stdin(Stdio::piped()).stdout(file.try_clone()?).stderr(file);
        let child = cores.spawn(command).map_err(|error| not_started(&name, &error))?;
        Ok(Self { name, pid: Pid::from_child(&child), child: Some(child), log })
    }

    /// Starts a server that puts itself into the background and writes its number to `pid_file`.
    ///
    /// # Errors
    /// When the program cannot be started, fails, or writes no number.
    pub(crate) fn start_daemon(
        command: &mut Command,
        cores: Cores,
        log: PathBuf,
        pid_file: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let mut starter = Self::start(command, cores, log)?;
        let status = starter.child.take().map(|mut child| child.wait()).transpose()?;
        if let Some(status) = status.filter(|status| !status.success()) {
            return Err(starter.complaint(status).into());
        }
        let number = || fs::read_to_string(pid_file).ok()?.trim().parse().ok().and_then(Pid::from_raw);
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(pid) = number() {
                starter.pid = pid;
                return Ok(starter);
            }
            sleep(GLANCE);
        }
        Err(format!("`{}` did not write {}", starter.name, pid_file.display()).into())
    }

    /// Waits until `is_ready`.
    ///
    /// # Errors
    /// When the server ends instead, or takes too long.
    pub(crate) fn wait_until(&mut self, is_ready: impl Fn() -> bool) -> Result<(), Box<dyn Error>> {
        let started = Instant::now();
        while !is_ready() {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().transpose()).transpose()? {
                return Err(self.complaint(status).into());
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("`{}` is not ready after {} s", self.name, PATIENCE.as_secs()).into());
            }
            sleep(GLANCE);
        }
        Ok(())
    }

    /// Its number.
    pub(crate) const fn pid(&self) -> Pid {
        self.pid
    }

    fn complaint(&self, status: ExitStatus) -> String {
        failed(&self.name, status, &fs::read_to_string(&self.log).unwrap_or_default())
    }

    /// Whether it has ended; a child is waited for, so that its number is not given to another process before.
    fn has_ended(&mut self) -> bool {
        match &mut self.child {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => test_kill_process(self.pid).is_err(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for signal in [Signal::TERM, Signal::KILL] {
            if self.has_ended() {
                return;
            }
            // An error says that it has ended in this moment.
            let _ = kill_process(self.pid, signal);
            let asked = Instant::now();
            while asked.elapsed() < PATIENCE && !self.has_ended() {
                sleep(GLANCE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::cores::Sides;

    fn server(script: &str, folder: &Path) -> Server {
        let cores = Sides::of_this_machine().unwrap().all;
        Server::start(Command::new("sh").args(["-c", script]), cores, folder.join("log")).unwrap()
    }

    #[test]
    fn a_server_that_ends_before_it_is_ready_is_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = server("echo no such image >&2; exit 3", folder.path());
        let error = server.wait_until(|| false).unwrap_err().to_string();
        assert_eq!(error, "`sh` ended with exit status: 3: no such image");
    }

    #[test]
    fn a_dropped_server_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let server = server("exec sleep 1000", folder.path());
        let pid = server.pid();
        test_kill_process(pid).unwrap();
        drop(server);
        assert!(test_kill_process(pid).is_err());
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = output(&mut Command::new("no-such-server")).unwrap_err().to_string();
        assert_eq!(error, "`no-such-server` is not installed");
    }
}
