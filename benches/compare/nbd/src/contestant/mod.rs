//! Who is measured: Sear, other NBD servers, and yardsticks; how each is started and reached.

mod fuse;
mod nbd_server;
mod nbdkit;
mod qemu;
mod sear;
mod tls;

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::process::Pid;
use serde::Serialize;

use crate::host::cores::Cores;
use crate::host::process::Server;
use crate::host::scratch::{Image, Scratch};

pub(crate) use sear::Ours;

/// The name of every export that can have one.
const EXPORT: &str = "disk";
/// Clients that every server must take at once.
const CLIENTS: &str = "16";

/// One row of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contestant {
    /// `sear up`.
    Sear,
    /// Sear's path without the cipher.
    SearPlain,
    /// `nbdkit null`: a server without storage.
    NbdkitNull,
    /// `nbdkit file`.
    NbdkitFile,
    /// `nbdkit file` behind its LUKS filter.
    NbdkitLuks,
    /// `nbd-server`.
    NbdServer,
    /// `qemu-nbd` over a raw file.
    QemuNbdRaw,
    /// `qemu-nbd` over LUKS.
    QemuNbdLuks,
    /// `qemu-storage-daemon` over LUKS.
    QemuStorageLuks,
    /// No server: the load on the plain file, with direct I/O.
    PlainFile,
    /// Sear's FUSE file under a loop device.
    SearLoop,
    /// `nbdfuse` before `nbdkit file`, under a loop device.
    NbdfuseFile,
    /// `nbdfuse` before `nbdkit file` with its LUKS filter, under a loop device.
    NbdfuseLuks,
}

/// What a contestant is to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Class {
    /// Sear.
    Ours,
    /// A peer that serves plaintext.
    Plain,
    /// A peer that encrypts.
    Encrypted,
    /// A mark to measure against, not a server of the same work.
    Yardstick,
}

impl Contestant {
    /// Name, class, and the image it serves; `NbdkitNull` has none.
    const fn facts(self) -> (&'static str, Class, Option<Image>) {
        match self {
            Self::Sear => ("sear", Class::Ours, Some(Image::Sear)),
            Self::SearPlain => ("sear (plain)", Class::Yardstick, Some(Image::Plain)),
            Self::NbdkitNull => ("nbdkit null", Class::Yardstick, None),
            Self::NbdkitFile => ("nbdkit file", Class::Plain, Some(Image::Plain)),
            Self::NbdkitLuks => ("nbdkit luks", Class::Encrypted, Some(Image::Luks1)),
            Self::NbdServer => ("nbd-server", Class::Plain, Some(Image::Plain)),
            Self::QemuNbdRaw => ("qemu-nbd raw", Class::Plain, Some(Image::Plain)),
            Self::QemuNbdLuks => ("qemu-nbd LUKS", Class::Encrypted, Some(Image::Luks1)),
            Self::QemuStorageLuks => ("qemu-storage-daemon LUKS", Class::Encrypted, Some(Image::Luks1)),
            Self::PlainFile => ("fio on the file", Class::Yardstick, Some(Image::Plain)),
            Self::SearLoop => ("sear FUSE + loop", Class::Ours, Some(Image::Sear)),
            Self::NbdfuseFile => ("nbdfuse + loop", Class::Plain, Some(Image::Plain)),
            Self::NbdfuseLuks => ("nbdfuse (luks) + loop", Class::Encrypted, Some(Image::Luks1)),
        }
    }

    /// What the tables call it.
    pub(crate) const fn name(self) -> &'static str {
        self.facts().0
    }

    /// What it is to the others.
    pub(crate) const fn class(self) -> Class {
        self.facts().1
    }

    /// The image it serves.
    pub(crate) const fn image(self) -> Option<Image> {
        self.facts().2
    }

    /// Starts it; it is ready when this returns.
    ///
    /// # Errors
    /// When the program is missing or does not start; the message says which and why.
    pub(crate) fn start(self, at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
        if let Some(image) = self.image() {
            at.scratch.provide(image)?;
        }
        match self {
            Self::Sear => sear::encrypted(at),
            Self::SearPlain => sear::plain(at),
            Self::NbdkitNull => nbdkit::null(at),
            Self::NbdkitFile => nbdkit::file(at),
            Self::NbdkitLuks => nbdkit::luks(at),
            Self::NbdServer => nbd_server::start(at),
            Self::QemuNbdRaw => qemu::raw(at),
            Self::QemuNbdLuks => qemu::luks(at),
            Self::QemuStorageLuks => qemu::storage_daemon(at),
            Self::PlainFile => {
                Ok(Running { target: Target::File(at.scratch.image(Image::Plain)), servers: Vec::new(), mount: None })
            }
            Self::SearLoop => sear::fuse(at),
            Self::NbdfuseFile => fuse::nbdfuse(nbdkit::file(at)?, at),
            Self::NbdfuseLuks => fuse::nbdfuse(nbdkit::luks(at)?, at),
        }
    }
}

/// How clients reach a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// A Unix socket.
    Unix,
    /// TCP on the loopback interface, with TLS and a certificate for the server.
    Tls,
}

/// Where and how a contestant is started.
pub(crate) struct Start<'a> {
    /// The folder with the images.
    pub(crate) scratch: &'a Scratch,
    /// The processors it may use.
    pub(crate) cores: Cores,
    /// How clients reach it.
    pub(crate) transport: Transport,
    /// Whether it is to go past the page cache, if it can.
    pub(crate) direct: bool,
    /// Sear's programs.
    pub(crate) ours: &'a Ours,
    /// Names the socket and the log: different for each one that runs.
    pub(crate) tag: String,
}

/// What the load is pointed at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An NBD URI without TLS.
    Nbd(String),
    /// An NBD URI with TLS, and the home folder in which the client finds the authority's certificate.
    Nbds(String, PathBuf),
    /// A file or block device.
    File(PathBuf),
}

/// A contestant that is ready. Dropped, it is taken apart in order: what is mounted first.
pub(crate) struct Running {
    /// Held for what its end undoes.
    #[allow(dead_code, reason = "it only has to be dropped, before the servers")]
    mount: Option<fuse::Mounted>,
    servers: Vec<Server>,
    /// Where it can be reached.
    pub(crate) target: Target,
}

impl Running {
    /// The processes whose work counts.
    pub(crate) fn pids(&self) -> Vec<Pid> {
        self.servers.iter().map(Server::pid).collect()
    }
}

/// An address that nobody uses yet.
enum Address {
    Unix(PathBuf),
    Tcp(u16),
}

impl Start<'_> {
    /// A file name of this contestant's own.
    fn own(&self, extension: &str) -> PathBuf {
        self.scratch.path(&format!("{}.{extension}", self.tag))
    }

    fn address(&self) -> Result<Address, Box<dyn Error>> {
        match self.transport {
            Transport::Unix => Ok(Address::Unix(self.own("sock"))),
            Transport::Tls => {
                tls::provide(self.scratch)?;
                // The port is free again when this returns. That another program takes it first would show as an error.
                Ok(Address::Tcp(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port()))
            }
        }
    }

    /// Starts a server and waits until it answers at `address`.
    fn serve(
        &self,
        mut command: std::process::Command,
        address: &Address,
        export: &str,
    ) -> Result<Running, Box<dyn Error>> {
        let server = Server::start(&mut command, self.cores, self.own("log"))?;
        self.ready(server, address, export)
    }

    fn ready(&self, mut server: Server, address: &Address, export: &str) -> Result<Running, Box<dyn Error>> {
        server.wait_until(|| match address {
            Address::Unix(path) => UnixStream::connect(path).is_ok(),
            Address::Tcp(port) => TcpStream::connect(("127.0.0.1", *port)).is_ok(),
        })?;
        let target = match address {
            Address::Unix(path) => Target::Nbd(format!("nbd+unix:///{export}?socket={}", path.display())),
            Address::Tcp(port) => Target::Nbds(format!("nbds://127.0.0.1:{port}/{export}"), tls::home(self.scratch)),
        };
        Ok(Running { mount: None, servers: vec![server], target })
    }
}
