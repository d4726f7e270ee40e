//! A running key manager.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::prepared::{Prepared, script};

/// How a server is to be started.
pub(crate) struct Start {
    script: &'static str,
    arguments: Vec<String>,
}

impl Start {
    /// PyKMIP as it comes.
    pub(crate) fn stock() -> Self {
        Self { script: "stock.py", arguments: Vec::new() }
    }

    /// PyKMIP with what it lacks.
    pub(crate) fn extended() -> Self {
        Self { script: "extended.py", arguments: Vec::new() }
    }

    /// One more argument of the script.
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Starts it; `None`, with the reason printed, when this machine lacks something.
    pub(crate) fn or_skip(self) -> Option<Server> {
        let test = std::thread::current().name().unwrap_or_default().to_owned();
        let prepared = Prepared::or_skip(&test)?;
        Some(Server::start(prepared, &self))
    }
}

/// The extended server that tests share which set no faults: starting PyKMIP takes a second of a processor. It is never
/// dropped, and ends by itself when its input closes.
pub(crate) fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(|| Start::extended().or_skip()).as_ref()
}

/// A server that ends with the test.
pub(crate) struct Server {
    prepared: &'static Prepared,
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// Another program may take the port before the server does: then it is tried again.
    fn start(prepared: &'static Prepared, start: &Start) -> Self {
        let attempts = (0..5).find_map(|_| Self::attempt(prepared, start));
        attempts.expect("the server starts; what it printed says why not")
    }

    fn attempt(prepared: &'static Prepared, start: &Start) -> Option<Self> {
        let folder = prepared.database();
        let port = free_port();
        let mut child = Command::new(prepared.python())
            .arg(script(start.script))
            .args(["--port", &port.to_string(), "--pki"])
            .arg(prepared.pki())
            .arg("--db")
            .arg(folder.path().join("keys"))
            .args(if start.script == "extended.py" { vec!["--faults".into(), faults(&folder)] } else { Vec::new() })
            .args(&start.arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("python can be run");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let server = Self { prepared, child, port, folder };
        (line.trim() == "READY").then_some(server)
    }

    pub(crate) fn prepared(&self) -> &'static Prepared {
        self.prepared
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sets the faults of the extended server; `{}` ends them. The file changes in one step.
    pub(crate) fn fault(&self, json: &str) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let new = self.folder.path().join(format!("new-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::write(&new, json).unwrap();
        fs::rename(new, faults(&self.folder)).unwrap();
    }
}

fn faults(folder: &TempDir) -> PathBuf {
    folder.path().join("faults")
}

impl Drop for Server {
    /// PyKMIP has a process of its own for a dictionary; the group has both.
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
