//! A running `sear daemon`, and how it is asked.

use std::fs::{self, DirBuilder, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::run::wait_until;
use super::sear::{Sear, program};

/// A node that a daemon serves: its state directory and, if it has any, its metadata drives. Removed at the end.
#[derive(Default)]
pub struct Node {
    sear: Sear,
    drives: Vec<PathBuf>,
    more: String,
}

/// A daemon that serves. Dropped, it is killed.
pub struct Daemon {
    child: Child,
    ready: Value,
    log: PathBuf,
    /// The API of whoever is on this machine.
    pub local: Local,
}

/// The local socket of a daemon, whether it still listens or not.
#[derive(Clone, Debug)]
pub struct Local(PathBuf);

/// The error that the API answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its name.
    pub name: String,
    /// What it says.
    pub message: String,
}

impl Node {
    /// A node that keeps its state in the state directory alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A node with so many metadata drives: directories, made now.
    ///
    /// # Panics
    /// When they cannot be made.
    #[must_use]
    pub fn with_drives(count: usize) -> Self {
        let sear = Sear::new();
        let drives: Vec<PathBuf> = (1..=count).map(|number| sear.path(&format!("drive-{number}"))).collect();
        for drive in &drives {
            DirBuilder::new().mode(0o700).create(drive).expect("a metadata drive can be made");
        }
        Self { sear, drives, more: String::new() }
    }

    /// One more line of the section `[daemon]` of its configuration.
    #[must_use]
    pub fn configured(mut self, line: &str) -> Self {
        self.more += line;
        self.more.push('\n');
        self
    }

    /// The installation.
    #[must_use]
    pub fn sear(&self) -> &Sear {
        &self.sear
    }

    /// The directories of the metadata drives, in the order of their ids.
    #[must_use]
    pub fn drives(&self) -> &[PathBuf] {
        &self.drives
    }

    /// The daemon's command: its API at a port of the loopback interface that is free.
    ///
    /// # Panics
    /// When the configuration cannot be written.
    #[must_use]
    pub fn command(&self) -> Command {
        let config = self.sear.path("sear.toml");
        let drives = json!(self.drives);
        let text = format!("[daemon]\napi = [\"127.0.0.1:0\"]\nmetadata = {drives}\n{}", self.more);
        fs::write(&config, text).expect("the configuration can be written");
        let mut command = Command::new(program());
        command.arg("--state-dir").arg(self.sear.state_dir()).arg("--config").arg(config).args(["--json", "daemon"]);
        command.stdin(Stdio::null());
        command
    }

    /// Starts the daemon and waits until it serves.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn start(&self) -> Daemon {
        let log = self.sear.path("daemon.log");
        let file = File::options().create(true).append(true).open(&log).expect("the log can be opened");
        let mut command = self.command();
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().expect("sear starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        let read = BufReader::new(output).read_line(&mut line);
        let ready: Value = serde_json::from_str(&line).unwrap_or_default();
        let socket = ready["socket"].as_str().map(PathBuf::from);
        let mut daemon = Daemon { child, ready, log, local: Local(PathBuf::new()) };
        let Some(socket) = socket else { panic!("the daemon does not serve: {read:?}, {line}\n{}", daemon.log()) };
        daemon.local = Local(socket);
        daemon
    }
}

impl Daemon {
    /// Where the API is served over HTTPS.
    ///
    /// # Panics
    /// When the daemon did not say it.
    #[must_use]
    pub fn api(&self) -> SocketAddr {
        let address = self.ready["api"][0].as_str().expect("the daemon has told where its API is");
        address.parse().expect("it is an address")
    }

    /// The socket of the NBD server.
    #[must_use]
    pub fn nbd(&self) -> PathBuf {
        self.local.0.with_file_name("nbd.sock")
    }

    /// The NBD URI of an export.
    #[must_use]
    pub fn uri(&self, export: &str) -> String {
        format!("nbd+unix:///{export}?socket={}", self.nbd().display())
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What this daemon and those before it at the same node have logged.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Ends it as an administrator does, with SIGTERM, and expects a clean exit.
    ///
    /// # Panics
    /// When it does not exit with 0, or has panicked.
    pub fn stop(mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("process ids are positive");
        kill_process(pid, Signal::TERM).expect("the daemon can be signalled");
        wait_until("the daemon to end", || self.child.try_wait().expect("the child can be asked").is_some());
        let status = self.child.wait().expect("the child has ended");
        assert!(status.success(), "the daemon ended with {status} after SIGTERM: {}", self.log());
        self.assert_no_panic();
    }

    /// Ends it as a crash does, with SIGKILL.
    ///
    /// # Panics
    /// When it has panicked before.
    pub fn kill(mut self) {
        self.end();
        self.assert_no_panic();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn assert_no_panic(&self) {
        assert!(!self.log().contains("panicked"), "the daemon panicked: {}", self.log());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
    }
}

impl Local {
    /// The socket.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Calls a method and waits for its answer.
    ///
    /// # Errors
    /// When there is no daemon, or it ends before it has answered.
    pub fn call(&self, method: &str, params: &Value) -> io::Result<Result<Value, Refused>> {
        let mut stream = UnixStream::connect(&self.0)?;
        stream.write_all((json!({"id": 1, "method": method, "params": params}).to_string() + "\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let mut answer: Value = serde_json::from_str(&answer).map_err(io::Error::other)?;
        if let Some(error) = answer.get("error") {
            let text = |member: &str| error[member].as_str().unwrap_or_default().to_owned();
            return Ok(Err(Refused { name: text("name"), message: text("message") }));
        }
        Ok(Ok(answer["result"].take()))
    }

    /// The result of a call that succeeds.
    ///
    /// # Panics
    /// When it does not.
    pub fn ok(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, &params).unwrap_or_else(|error| panic!("{method}: {error}"));
        answer.unwrap_or_else(|refused| panic!("{method} {params}: {refused:?}"))
    }

    /// Makes the cluster, with software encryption and the administrator `admin`.
    pub fn create_cluster(&self, password: &str) {
        let cluster = json!({"mvip": "192.0.2.1", "svip": "192.0.2.2", "username": "admin", "password": password,
                             "nodes": ["127.0.0.1"], "enableSoftwareEncryptionAtRest": true});
        self.ok("CreateCluster", cluster);
    }

    /// Waits for the end of work that goes on after its call; what came of it.
    ///
    /// # Panics
    /// When it does not end within a minute.
    pub fn wait_for(&self, handle: &Value) -> Value {
        let mut result = Value::Null;
        wait_until("an asynchronous result", || {
            result = self.ok("GetAsyncResult", json!({"asyncHandle": handle, "keepResult": true}));
            result["status"] == "complete"
        });
        result
    }
}
