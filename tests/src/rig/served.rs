//! A running `sear up`.

use std::ffi::OsStr;
use std::fs::File;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use super::run::wait_until;
use super::sear::{Sear, program};

/// The export's name in every test.
const EXPORT: &str = "vol";
/// The end of what a server prints once it is ready.
const READY: &str = "Ctrl-C stops it";

/// A served volume. Dropped, the server is ended.
pub struct Served {
    child: Child,
    socket: PathBuf,
    log: PathBuf,
}

impl Served {
    pub(super) fn start<A: AsRef<OsStr>>(sear: &Sear, volume: &Path, arguments: impl IntoIterator<Item = A>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let socket = sear.path(&format!("nbd-{number}.sock"));
        let log = sear.path(&format!("log-{number}"));
        let file = File::create_new(&log).expect("the log can be made");
        let mut command = Command::new(program());
        command.arg("--state-dir").arg(sear.state_dir()).arg("up").arg(volume).args(["--name", EXPORT]);
        command.arg("--listen").arg(format!("unix:{}", socket.display())).args(arguments);
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a second handle")).stderr(file);
        let child = command.spawn().expect("sear starts");
        let mut served = Self { child, socket, log };
        wait_until("sear to serve", || {
            served.assert_alive();
            // It answers a little earlier than it says so, and confines itself in between.
            let log = served.log();
            let says_so = log.contains(READY) || log.contains(r#""event":"ready""#);
            says_so && UnixStream::connect(&served.socket).is_ok()
        });
        served
    }

    /// The NBD URI of the export.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("nbd+unix:///{EXPORT}?socket={}", self.socket.display())
    }

    /// The NBD URI of the export over TLS, with certificates from `folder`.
    #[must_use]
    pub fn tls_uri(&self, folder: &Path) -> String {
        format!("nbds+unix:///{EXPORT}?socket={}&tls-certificates={}", self.socket.display(), folder.display())
    }

    /// The NBD URI of the export over TLS on a TCP port, where clients also check the server's name.
    #[must_use]
    pub fn tls_tcp_uri(port: u16, folder: &Path) -> String {
        format!("nbds://localhost:{port}/{EXPORT}?tls-certificates={}", folder.display())
    }

    /// The socket it listens on.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The server's process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the server has printed so far, both streams.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The test fails when the server has ended or has panicked.
    ///
    /// # Panics
    /// When it has.
    pub fn assert_alive(&mut self) {
        let ended = self.child.try_wait().expect("the child can be asked");
        assert!(ended.is_none(), "sear has ended ({ended:?}): {}", self.log());
        assert!(!self.log().contains("panicked"), "sear panicked: {}", self.log());
    }

    /// Ends the server as an administrator does, with SIGTERM, and expects a clean exit.
    ///
    /// # Panics
    /// When it does not exit with 0, or has panicked.
    pub fn stop(mut self) {
        self.assert_alive();
        self.signal(Signal::TERM);
        let status = self.wait();
        assert!(status.success(), "sear ended with {status} after SIGTERM: {}", self.log());
        assert!(!self.log().contains("panicked"), "sear panicked: {}", self.log());
    }

    /// Ends the server as a crash does, with SIGKILL.
    pub fn crash(mut self) {
        self.signal(Signal::KILL);
        self.wait();
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("process ids are positive");
        // The process may have ended by itself; then there is nobody to tell.
        let _ = kill_process(pid, signal);
    }

    fn wait(&mut self) -> ExitStatus {
        wait_until("sear to end", || self.child.try_wait().expect("the child can be asked").is_some());
        self.child.wait().expect("the child has ended")
    }
}

/// A TCP port of the loopback interface that nobody uses at this moment.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("there is a free port").port()
}

impl Drop for Served {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
