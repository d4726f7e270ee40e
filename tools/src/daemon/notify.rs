//! What a service manager is told: `sd_notify(3)`, a datagram of `NAME=value` lines to the socket in `NOTIFY_SOCKET`.

use std::env;
use std::io::{self, ErrorKind};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A service manager that listens, or nobody.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manager {
    /// Connected at once: a confined process reaches no new one by an abstract name.
    socket: Option<(Arc<UnixDatagram>, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Manager {
    /// The one that the environment names.
    pub(crate) fn from_environment() -> Self {
        let socket = env::var_os("NOTIFY_SOCKET").and_then(|name| connect(name.as_bytes()).ok());
        let of_us = env::var("WATCHDOG_PID").map_or(true, |pid| pid == std::process::id().to_string());
        let micros = env::var("WATCHDOG_USEC").ok().and_then(|text| text.parse().ok()).filter(|_| of_us);
        Self { socket, watchdog: micros.map(Duration::from_micros) }
    }

    /// Tells that the daemon serves.
    pub(crate) fn ready(&self) {
        self.tell("READY=1\nSTATUS=Serving");
    }

    /// Tells that it ends.
    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=Closing volumes");
    }

    /// Tells that it lives, twice as often as is asked for, as long as `lives` says so.
    ///
    /// # Errors
    /// When there is no thread.
    pub(crate) fn keep_alive(&self, lives: impl Fn() -> bool + Send + 'static) -> io::Result<()> {
        let Some(pause) = self.watchdog.map(|time| time / 2) else { return Ok(()) };
        let manager = self.clone();
        let life = move || {
            while lives() {
                manager.tell("WATCHDOG=1");
                thread::sleep(pause);
            }
        };
        thread::Builder::new().name("watchdog".to_owned()).spawn(life).map(drop)
    }

    fn tell(&self, words: &str) {
        let Some((socket, address)) = &self.socket else { return };
        let told = match socket.send(words.as_bytes()) {
            // It was made anew.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                socket.connect_addr(address).and_then(|()| socket.send(words.as_bytes()))
            }
            told => told,
        };
        if let Err(error) = told {
            tracing::warn!(%error, "the service manager was not told");
        }
    }
}

fn connect(name: &[u8]) -> io::Result<(Arc<UnixDatagram>, SocketAddr)> {
    let (socket, address) = (UnixDatagram::unbound()?, address(name)?);
    socket.connect_addr(&address)?;
    Ok((Arc::new(socket), address))
}

/// A path, or an abstract name after an `@`.
fn address(name: &[u8]) -> io::Result<SocketAddr> {
    match name.strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(std::path::Path::new(std::ffi::OsStr::from_bytes(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_is_told_in_the_words_of_sd_notify() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        let manager = Manager { socket: Some(connect(path.as_os_str().as_bytes()).unwrap()), watchdog: None };
        manager.ready();
        manager.stopping();
        let mut told = [0; 64];
        for words in ["READY=1\n", "STOPPING=1\n"] {
            let len = listener.recv(&mut told).unwrap();
            assert!(told[..len].starts_with(words.as_bytes()));
        }
    }

    #[test]
    fn nobody_is_told_where_nobody_listens() {
        Manager::default().ready();
        assert!(address(b"@sear-test").is_ok());
    }
}
