//! The API for whoever is on this machine: one JSON-RPC request a connection, over a Unix socket in the state directory.
//!
//! Nobody logs in: the kernel says who has connected, and only the daemon's own user and root are let in, as
//! administrators. The socket is private beside that.

use std::fs;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ekm_bridge::rpc::Service;
use ekm_bridge::rpc::methods::Caller;
use ekm_bridge::rpc::version::Version;
use rustix::net::Shutdown;
use rustix::net::sockopt::socket_peercred;
use serde_json::{Value, json};
use zeroize::{Zeroize, Zeroizing};

use super::error::DaemonError;

/// The longest request, in bytes: as over HTTPS.
const MAX_REQUEST: usize = 256 << 10;
/// The longest answer.
const MAX_ANSWER: u64 = 64 << 20;
/// Who has connected must ask within this time.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where it is in the directory of sockets.
pub(crate) fn socket(run_dir: &Path) -> PathBuf {
    run_dir.join("daemon.sock")
}

/// The thread that answers. Dropped, it ends and its socket is gone.
pub(super) struct Local {
    socket: PathBuf,
    listener: UnixListener,
    thread: Option<JoinHandle<()>>,
}

/// A socket at which nobody answers yet.
pub(super) struct Bound {
    socket: PathBuf,
    listener: UnixListener,
}

impl Bound {
    /// Listens at `socket`. The state lock must be held: what is in the way is left over.
    pub(super) fn bind(socket: PathBuf) -> Result<Self, DaemonError> {
        let listener = bind(&socket).map_err(|source| failed("listen at", &socket, source))?;
        Ok(Self { socket, listener })
    }

    /// Answers there with `service`.
    pub(super) fn serve(self, service: Service) -> Result<Local, DaemonError> {
        let Self { socket, listener } = self;
        let theirs = listener.try_clone().map_err(|source| failed("listen at", &socket, source))?;
        let service = Arc::new(service);
        let thread = thread::Builder::new().name("local-api".to_owned());
        let thread = thread.spawn(move || serve(&theirs, &service)).map_err(DaemonError::Threads)?;
        Ok(Local { socket, listener, thread: Some(thread) })
    }
}

impl Local {
    /// The socket.
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        if let Err(error) = rustix::net::shutdown(&self.listener, Shutdown::Both) {
            return tracing::warn!(%error, "the local socket stays");
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the local API panicked");
        }
        if let Err(error) = fs::remove_file(&self.socket) {
            tracing::debug!(%error, "the local socket is gone already");
        }
    }
}

fn bind(socket: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => (),
    }
    let listener = UnixListener::bind(socket)?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// One request after the other: a method that takes long is a task of the control plane, not a call.
fn serve(listener: &UnixListener, service: &Service) {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                if let Err(error) = answer(&stream, service) {
                    tracing::debug!(%error, "a local request was not answered");
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            // The end: the socket was shut down.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return,
            Err(error) => {
                tracing::warn!(%error, "no local request can be taken");
                thread::sleep(PATIENCE);
            }
        }
    }
}

fn answer(mut stream: &UnixStream, service: &Service) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let peer = socket_peercred(stream)?.uid;
    if peer != rustix::process::geteuid() && !peer.is_root() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let caller = Caller::Local { name: format!("local user {}", peer.as_raw()) };
    let line = read_line(stream)?;
    let source = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut body = service.answer(&Version::CURRENT.to_string(), &caller, source, &line).body;
    body.push(b'\n');
    let written = stream.write_all(&body);
    // It may have been key material.
    body.zeroize();
    written
}

/// One line, and no copy of it elsewhere: a passphrase may be in it.
fn read_line(mut stream: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut line = Zeroizing::new(vec![0; MAX_REQUEST]);
    let mut len = 0;
    while let Some(room) = line.get_mut(len..).filter(|room| !room.is_empty()) {
        let read = match stream.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let end = room.iter().take(read).position(|byte| *byte == b'\n');
        len += end.unwrap_or(read);
        if read == 0 || end.is_some() {
            break;
        }
    }
    line.truncate(len);
    Ok(line)
}

/// Asks the daemon whose socket this is, and waits for the answer: the result of `method`.
///
/// # Errors
/// When there is no daemon, or it says no.
pub(crate) fn ask(socket: &Path, method: &str, params: &Value) -> Result<Value, DaemonError> {
    let stream = UnixStream::connect(socket).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => DaemonError::NotRunning(socket.to_owned()),
        _ => failed("connect to", socket, error),
    })?;
    let request = Zeroizing::new(json!({"id": 1, "method": method, "params": params}).to_string() + "\n");
    let answer = exchange(&stream, request.as_bytes()).map_err(|source| failed("talk to", socket, source))?;
    result(&answer)
}

fn exchange(mut stream: &UnixStream, request: &[u8]) -> io::Result<String> {
    stream.write_all(request)?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}

fn result(answer: &str) -> Result<Value, DaemonError> {
    let not_understood = || DaemonError::Answer(answer.chars().take(200).collect());
    let mut answer: Value = serde_json::from_str(answer).map_err(|_| not_understood())?;
    if let Some(error) = answer.get("error") {
        let text = |name| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        return Err(DaemonError::Refused { name: text("name"), message: text("message") });
    }
    answer.get_mut("result").map(Value::take).ok_or_else(not_understood)
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> DaemonError {
    DaemonError::Io { doing, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let len = room.len().min(1);
            self.0.read(&mut room[..len])
        }
    }

    #[test]
    fn a_request_ends_with_its_line_its_sender_or_the_limit() {
        let long = vec![b'x'; MAX_REQUEST + 10];
        let cases: [(&[u8], usize); 4] = [(b"{}\nmore", 2), (b"{}", 2), (b"", 0), (&long, MAX_REQUEST)];
        for (sent, len) in cases {
            assert_eq!(*read_line(sent).unwrap(), sent[..len]);
            assert_eq!(*read_line(Slow(sent)).unwrap(), sent[..len]);
        }
    }
}
