//! The server as its clients meet it: real sockets, real threads, a small client written from the protocol's text.

mod client;
mod hostile;
mod publisher;
mod requests;
mod shutdown;
mod tls;

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use client::Client;
use tempfile::TempDir;

use super::test_disk::{MemDisk, export};
use super::{Config, Export, Handle, Limits, Listen, RunError, Server, TlsConfig};

/// Limits on time that a test can wait for.
const SHORT: Duration = Duration::from_millis(50);

/// A server that does not answer fails a test after this long, instead of holding it up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server in its own thread, on a Unix socket in a directory of its own. Dropped, it is shut down.
struct Running {
    dir: TempDir,
    handle: Handle,
    thread: Option<JoinHandle<Result<(), RunError>>>,
}

impl Running {
    /// Serves `disk` under the name `disk`.
    fn start(disk: &Arc<MemDisk>, limits: Limits) -> Self {
        Self::with_tls(disk, limits, None)
    }

    fn with_tls(disk: &Arc<MemDisk>, limits: Limits, tls: Option<TlsConfig>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listen = vec![Listen::Unix(dir.path().join("socket"))];
        let exports = vec![export("disk", Arc::clone(&disk.volume))];
        let server = Server::bind(Config { listen, tls, limits, ..config(exports) }).unwrap();
        let handle = server.handle();
        Self { dir, handle, thread: Some(thread::spawn(move || server.run())) }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("socket")
    }

    fn stream(&self) -> UnixStream {
        let stream = UnixStream::connect(self.path()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// A client in the transmission phase, with structured replies and block status.
    fn client(&self) -> Client<UnixStream> {
        let mut client = Client::greet(self.stream());
        client.go("disk");
        client
    }

    /// Shuts down and waits.
    fn stop(mut self) -> Result<(), RunError> {
        self.handle.shutdown();
        self.thread.take().unwrap().join().unwrap()
    }
}

/// A server of `exports` that listens nowhere.
fn config(exports: Vec<Export>) -> Config {
    Config { exports, listen: vec![], tls: None, limits: Limits::default(), workers: Some(2), ring: None }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.handle.shutdown();
        // A test that failed already may have left requests that never complete.
        if !thread::panicking()
            && let Some(thread) = self.thread.take()
        {
            thread.join().unwrap().unwrap();
        }
    }
}
