//! Where the server listens: Unix sockets and TCP ports.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};

/// Connections the kernel keeps for us until they are accepted.
const BACKLOG: i32 = 128;

/// Bytes that may wait in a Unix socket for the client to read them, as far as `net.core.wmem_max` lets us (by default it
/// allows 208 KiB). With the system's default buffer a client empties it faster than it is filled and falls asleep
/// several times in each large reply; waking it costs us more than the copy. TCP finds its own size.
const SEND_BUFFER: usize = 1 << 20;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A Unix socket, made with mode 0600 and removed at the end. A socket file that nobody listens on is replaced;
    /// anything else in its place is left alone and is an error.
    Unix(PathBuf),
    /// A TCP address; port 0 lets the system choose.
    Tcp(SocketAddr),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

/// Why the server cannot listen somewhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Another process answers on the Unix socket.
    #[error("another server listens on {0}; stop it or choose another socket")]
    InUse(PathBuf),
    /// Something else than a socket is in the way.
    #[error("{0} exists and is not a socket; remove it or choose another path")]
    NotASocket(PathBuf),
    /// The system refuses.
    #[error("cannot listen on {at}: {source}")]
    System {
        /// Where.
        at: Listen,
        /// Why.
        source: io::Error,
    },
}

/// A listening socket.
pub(in crate::export) enum Listener {
    Unix { listener: UnixListener, file: SocketFile },
    Tcp { listener: TcpListener, address: SocketAddr },
}

impl Listener {
    pub(in crate::export) fn bind(at: &Listen) -> Result<Self, ListenError> {
        let system = |source| ListenError::System { at: at.clone(), source };
        match at {
            Listen::Unix(path) => {
                remove_stale(path, &system)?;
                bind_unix(path).map_err(system)
            }
            Listen::Tcp(address) => bind_tcp(*address).map_err(system),
        }
    }

    /// Where it listens; a port the system chose is filled in.
    pub(in crate::export) fn at(&self) -> Listen {
        match self {
            Self::Unix { file, .. } => Listen::Unix(file.path.clone()),
            Self::Tcp { address, .. } => Listen::Tcp(*address),
        }
    }

    /// The next connection; `WouldBlock` when there is none.
    pub(in crate::export) fn accept(&self) -> io::Result<OwnedFd> {
        match self {
            Self::Unix { listener, .. } => {
                let stream = listener.accept()?.0;
                sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER)?;
                Ok(stream.into())
            }
            Self::Tcp { listener, .. } => {
                let stream = listener.accept()?.0;
                stream.set_nodelay(true)?;
                // A client whose machine vanished would hold its connection for ever otherwise.
                sockopt::set_socket_keepalive(&stream, true)?;
                Ok(stream.into())
            }
        }
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Unix { listener, .. } => listener.as_fd(),
            Self::Tcp { listener, .. } => listener.as_fd(),
        }
    }
}

/// The file of a Unix socket, removed on drop if it is still the one that was made.
pub(in crate::export) struct SocketFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some()
            && identity(&self.path) == self.identity
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the socket file could not be removed");
        }
    }
}

/// Device and inode of a file.
fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

fn bind_tcp(address: SocketAddr) -> io::Result<Listener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok(Listener::Tcp { listener, address })
}

/// Made step by step instead of by [`UnixListener::bind`]: a mode set before `bind` is the mode the file is made with
/// (unix(7): Linux takes it from the socket), so at no moment can others connect.
fn bind_unix(path: &Path) -> io::Result<Listener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    rustix::fs::fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    let file = SocketFile { path: path.to_path_buf(), identity: identity(path) };
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(Listener::Unix { listener: socket.into(), file })
}

/// Removes the socket file of a server that died. Whoever listens answers a connection attempt, so refusal means that
/// nobody does.
fn remove_stale(path: &Path, system: &impl Fn(io::Error) -> ListenError) -> Result<(), ListenError> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(system(error)),
        Ok(file) if !file.file_type().is_socket() => return Err(ListenError::NotASocket(path.to_path_buf())),
        Ok(_) => (),
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(ListenError::InUse(path.to_path_buf())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path).map_err(system),
        Err(error) => Err(system(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn at() -> (tempfile::TempDir, PathBuf, Listen) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let at = Listen::Unix(path.clone());
        (dir, path, at)
    }

    #[test]
    fn the_socket_file_is_for_its_owner_only_and_goes_with_the_listener() {
        let (_dir, path, at) = at();
        let listener = Listener::bind(&at).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_file_that_nobody_listens_on_is_replaced() {
        let (_dir, path, at) = at();
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists(), "the standard library leaves the file behind");
        drop(Listener::bind(&at).unwrap());
    }

    #[test]
    fn a_socket_that_answers_is_left_alone() {
        let (_dir, path, at) = at();
        let _other = UnixListener::bind(&path).unwrap();
        assert!(matches!(Listener::bind(&at), Err(ListenError::InUse(_))));
        assert!(path.exists());
    }

    #[test]
    fn a_file_that_is_not_a_socket_is_left_alone() {
        let (_dir, path, at) = at();
        std::fs::write(&path, b"precious").unwrap();
        assert!(matches!(Listener::bind(&at), Err(ListenError::NotASocket(_))));
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn a_socket_file_that_someone_else_made_since_is_not_removed() {
        let (_dir, path, at) = at();
        let listener = Listener::bind(&at).unwrap();
        std::fs::remove_file(&path).unwrap();
        // The old inode stays in use by the listener, so the new file is another one.
        let _other = UnixListener::bind(&path).unwrap();
        drop(listener);
        assert!(path.exists());
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_an_error_that_names_it() {
        let at = Listen::Unix(PathBuf::from("x".repeat(200)));
        let error = Listener::bind(&at).err().unwrap().to_string();
        assert!(error.contains("cannot listen on unix:xxx"), "{error}");
    }
}
