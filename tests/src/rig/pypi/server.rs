//! A running key manager.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process_group, setpriority_pgrp};
use tempfile::TempDir;

use super::prepared::Prepared;
use super::venv::script;

/// How a server is to be started.
pub struct Start {
    script: &'static str,
    arguments: Vec<String>,
}

impl Start {
    /// PyKMIP as it comes.
    #[must_use]
    pub fn stock() -> Self {
        Self { script: "kmip/stock.py", arguments: Vec::new() }
    }

    /// PyKMIP with what it lacks.
    #[must_use]
    pub fn extended() -> Self {
        Self { script: "kmip/extended.py", arguments: Vec::new() }
    }

    /// One more argument of the script.
    #[must_use]
    pub fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Starts it; `None`, with the reason printed, when this machine lacks something.
    #[must_use]
    pub fn or_skip(self) -> Option<Server> {
        Some(Server::start(Prepared::or_skip()?, self))
    }
}

/// The extended server that tests share which set no faults: starting PyKMIP takes a second of a processor. It is never
/// dropped, and ends by itself when its input closes.
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(|| Start::extended().or_skip()).as_ref()
}

/// A server that ends with the test.
pub struct Server {
    prepared: &'static Prepared,
    start: Start,
    process: Option<Process>,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// Another program may take the port before the server does: then it is tried again.
    fn start(prepared: &'static Prepared, start: Start) -> Self {
        let mut server = Self { prepared, start, process: None, port: 0, folder: prepared.database() };
        let started = (0..5).any(|_| {
            server.port = free_port();
            server.spawn()
        });
        assert!(started, "the server starts; what it printed says why not");
        server
    }

    /// Starts the process; whether it is ready.
    fn spawn(&mut self) -> bool {
        let mut child = Command::new(self.prepared.python())
            .arg(script(self.start.script))
            .args(["--port", &self.port.to_string(), "--pki"])
            .arg(self.prepared.pki())
            .arg("--db")
            .arg(self.database())
            .args(if self.start.script.ends_with("extended.py") {
                vec!["--faults".into(), self.faults()]
            } else {
                Vec::new()
            })
            .args(&self.start.arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("python can be run");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        self.process = Some(Process(child));
        BufReader::new(output).read_line(&mut line).expect("the output is text");
        line.trim() == "READY"
    }

    /// Ends the process as a crash does. What it stored stays.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Lets the process stand still: it takes connections, because the kernel does, and never answers.
    ///
    /// # Panics
    /// When it cannot be signalled.
    pub fn freeze(&self) {
        let group = self.process.as_ref().and_then(Process::group).expect("the server runs");
        kill_process_group(group, Signal::STOP).expect("the server can be signalled");
    }

    /// Lets everything else on this machine go first.
    ///
    /// # Panics
    /// When the system does not allow it.
    pub fn step_back(&self) {
        let group = self.process.as_ref().and_then(Process::group).expect("the server runs");
        setpriority_pgrp(Some(group), 10).expect("a process of our own can be given less");
    }

    /// Starts a stopped server again, at its port and with its keys.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.stop();
        assert!(self.spawn(), "the server starts again; what it printed says why not");
    }

    /// What it was started with.
    #[must_use]
    pub fn prepared(&self) -> &'static Prepared {
        self.prepared
    }

    /// Where it listens on the loopback interface.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its store, an SQLite file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// The names of all keys that it has.
    ///
    /// # Panics
    /// When its store cannot be read.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let query = "import sqlite3, sys\nfor row in sqlite3.connect(sys.argv[1]).execute('select name from \
                     managed_object_names'): print(row[0])";
        let output = Command::new(self.prepared.python()).args(["-c", query]).arg(self.database()).output();
        let output = output.expect("python can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// Sets the faults of the extended server; `{}` ends them. The file changes in one step.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn fault(&self, json: &str) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let new = self.folder.path().join(format!("new-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        replace(&new, &self.faults(), json).expect("the faults can be written");
    }

    /// The file of the faults, for whoever sets them by other means.
    #[must_use]
    pub fn faults(&self) -> PathBuf {
        self.folder.path().join("faults")
    }
}

fn replace(new: &Path, old: &Path, text: &str) -> std::io::Result<()> {
    fs::write(new, text)?;
    fs::rename(new, old)
}

/// PyKMIP has a process of its own for a dictionary; the group has both.
struct Process(Child);

impl Process {
    fn group(&self) -> Option<Pid> {
        i32::try_from(self.0.id()).ok().and_then(Pid::from_raw)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = self.group() {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("there is a free port").port()
}
