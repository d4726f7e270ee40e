//! The smallest NBD client that can keep requests in flight, and a server for it in the same process.
//!
//! It negotiates by `NBD_OPT_EXPORT_NAME` and therefore gets simple replies (NBD protocol, "Simple reply message").

use std::error::Error;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use datapath::disk::Command;
use datapath::export::nbd::{Config, Export, Handle, Limits, Listen, RunError, Server};
use datapath::volume::Volume;

use crate::load::{Load, Offsets};

const NAME: &str = "disk";
const GREETING_LEN: usize = 18;
/// Length and flags of the export, the answer to `NBD_OPT_EXPORT_NAME` without zeroes.
const EXPORT_LEN: usize = 10;
const REPLY_LEN: usize = 16;
const REQUEST_LEN: usize = 28;
/// Fixed newstyle, no zeroes.
const CLIENT_FLAGS: u32 = 0b11;
const OPTION_MAGIC: u64 = 0x4948_4156_454f_5054;
const OPT_EXPORT_NAME: u32 = 1;
const REQUEST_MAGIC: u32 = 0x2560_9513;

/// A server on a Unix socket, running on threads of its own.
pub struct Served {
    handle: Handle,
    thread: JoinHandle<Result<(), RunError>>,
}

impl Served {
    /// Serves `volume` at the Unix socket `path`.
    ///
    /// # Errors
    /// When the server cannot listen there.
    pub fn start(volume: Arc<Volume>, path: &Path) -> Result<Self, Box<dyn Error>> {
        let export = Export { name: NAME.into(), description: String::new(), volume };
        let listen = vec![Listen::Unix(path.to_owned())];
        let limits = Limits::default();
        let config = Config { exports: vec![export], listen, tls: None, limits, workers: None, ring: None };
        let server = Server::bind(config)?;
        let handle = server.handle();
        Ok(Self { handle, thread: std::thread::spawn(move || server.run()) })
    }

    /// Stops the server and waits for its end.
    ///
    /// # Errors
    /// When its last flush failed.
    pub fn stop(self) -> Result<(), Box<dyn Error>> {
        self.handle.shutdown();
        self.thread.join().map_err(|_| "the server panicked")??;
        Ok(())
    }
}

/// One connection.
pub struct Client {
    stream: UnixStream,
    disk_len: u64,
}

impl Client {
    /// Connects to the server at `path` and enters the transmission phase.
    ///
    /// # Errors
    /// When there is no server or it does not offer the export.
    pub fn connect(path: &Path) -> io::Result<Self> {
        let mut stream = UnixStream::connect(path)?;
        stream.read_exact(&mut [0; GREETING_LEN])?;
        let mut hello = CLIENT_FLAGS.to_be_bytes().to_vec();
        hello.extend_from_slice(&OPTION_MAGIC.to_be_bytes());
        hello.extend_from_slice(&OPT_EXPORT_NAME.to_be_bytes());
        hello.extend_from_slice(&u32::try_from(NAME.len()).map_err(io::Error::other)?.to_be_bytes());
        hello.extend_from_slice(NAME.as_bytes());
        stream.write_all(&hello)?;
        let mut export = [0; EXPORT_LEN];
        stream.read_exact(&mut export)?;
        let [a, b, c, d, e, f, g, h, _, _] = export;
        Ok(Self { stream, disk_len: u64::from_be_bytes([a, b, c, d, e, f, g, h]) })
    }

    /// Runs `count` operations of `load`, a read or a write, and tells how long they took.
    ///
    /// # Errors
    /// When the connection breaks or the server refuses an operation.
    pub fn run(&mut self, load: Load, count: u64) -> io::Result<Duration> {
        let mut offsets = Offsets::new(self.disk_len, load.len as u64);
        let mut payload = vec![0x5a; load.len];
        let depth = (load.depth as u64).min(count);
        let started = Instant::now();
        for _ in 0..depth {
            self.send(load, offsets.advance(), &payload)?;
        }
        for finished in 0..count {
            self.receive(load, &mut payload)?;
            if finished + depth < count {
                self.send(load, offsets.advance(), &payload)?;
            }
        }
        Ok(started.elapsed())
    }

    fn send(&mut self, load: Load, offset: u64, payload: &[u8]) -> io::Result<()> {
        let (command, payload): (u16, &[u8]) = match load.command {
            Command::Write { .. } => (1, payload),
            _ => (0, &[]),
        };
        let mut header = [0; REQUEST_LEN];
        header[..4].copy_from_slice(&REQUEST_MAGIC.to_be_bytes());
        header[6..8].copy_from_slice(&command.to_be_bytes());
        header[16..24].copy_from_slice(&offset.to_be_bytes());
        header[24..].copy_from_slice(&u32::try_from(load.len).map_err(io::Error::other)?.to_be_bytes());
        self.stream.write_all(&header)?;
        self.stream.write_all(payload)
    }

    fn receive(&mut self, load: Load, payload: &mut [u8]) -> io::Result<()> {
        let mut reply = [0; REPLY_LEN];
        self.stream.read_exact(&mut reply)?;
        let [_, _, _, _, a, b, c, d, ..] = reply;
        match u32::from_be_bytes([a, b, c, d]) {
            0 if load.command == Command::Read => self.stream.read_exact(payload),
            0 => Ok(()),
            errno => Err(io::Error::other(format!("the server answered with NBD error {errno}"))),
        }
    }
}
