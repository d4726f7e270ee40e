//! What `sear up` prints once clients can connect: URIs, and the lines that mount the volume.

use std::fmt;
use std::path::{Path, PathBuf};

use datapath::export::nbd::Uri;
use keywrap::geometry::ByteLen;
use serde::Serialize;
use uuid::Uuid;

use crate::mount::{self, Target};
use crate::serve::{BlockDevice, Bound};

/// What is served.
#[derive(Serialize)]
pub(crate) struct Served {
    pub(super) name: String,
    pub(super) uuid: Uuid,
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) sector_size: u32,
    pub(super) read_only: bool,
    pub(super) created: bool,
}

/// The one document that `sear up --json` prints.
#[derive(Serialize)]
pub(crate) struct Ready {
    event: &'static str,
    /// The first of `uris`.
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    uris: Vec<String>,
    /// The socket for a virtual machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    vhost_user: Option<PathBuf>,
    /// The FUSE file.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_device: Option<BlockDevice>,
    #[serde(flatten)]
    served: Served,
    mount: Vec<String>,
    unmount: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbd_client: Option<String>,
    qemu: String,
    /// Somebody else serves it.
    #[serde(skip)]
    by_daemon: bool,
}

impl Ready {
    /// Works out the lines. The server has at least one URI, a file, a block device, or a socket for a virtual machine.
    pub(super) fn new(served: Served, server: &Bound) -> Self {
        let (uris, file, block_device) = (server.uris(), server.file(), server.block_device());
        let vhost_user = server.vhost_user();
        let label = mount::label(&served.name);
        let nbd_client = uris.first().map(|uri| mount::nbd_client(uri, served.sector_size));
        let uris: Vec<String> = uris.iter().map(Uri::to_string).collect();
        let uri = uris.first().cloned();
        let target = match (&file, &block_device, &uri) {
            (Some(file), _, _) => Some(Target::File(file)),
            (None, Some(device), _) => Some(Target::Device(&device.path)),
            (None, None, Some(uri)) => Some(Target::Uri(uri)),
            (None, None, None) => None,
        };
        // Not even root can open the file of another user's server.
        let closed = file.is_some() && !rustix::process::geteuid().is_root();
        let target = target.filter(|_| !closed);
        let Served { sector_size, created, read_only, .. } = served;
        let lines = |target: &Target<'_>| mount::mount_lines(target, &label, sector_size, created, read_only);
        Self {
            event: "ready",
            mount: target.as_ref().map(lines).unwrap_or_default(),
            unmount: target.as_ref().map(|target| mount::unmount_lines(target, &label)).unwrap_or_default(),
            nbd_client,
            qemu: match (vhost_user, &file, &uri, &block_device) {
                (Some(socket), ..) => mount::qemu_vhost_user(socket),
                (None, Some(file), ..) => mount::qemu_drive(&file.to_string_lossy()),
                (None, None, Some(uri), _) => mount::qemu_drive(uri),
                (None, None, None, device) => {
                    mount::qemu_drive(&device.as_ref().map_or("".into(), |device| device.path.to_string_lossy()))
                }
            },
            uri,
            uris,
            vhost_user: vhost_user.map(Path::to_path_buf),
            file,
            block_device,
            served,
            by_daemon: false,
        }
    }
}

impl Ready {
    /// What a daemon serves, at these URIs.
    pub(super) fn of_daemon(served: Served, uris: Vec<String>) -> Self {
        let label = mount::label(&served.name);
        let uri = uris.first().cloned();
        let target = uri.as_deref().map(Target::Uri);
        let Served { sector_size, created, read_only, .. } = served;
        let lines = |target: &Target<'_>| mount::mount_lines(target, &label, sector_size, created, read_only);
        Self {
            event: "ready",
            mount: target.as_ref().map(lines).unwrap_or_default(),
            unmount: target.as_ref().map(|target| mount::unmount_lines(target, &label)).unwrap_or_default(),
            nbd_client: None,
            qemu: mount::qemu_drive(uri.as_deref().unwrap_or_default()),
            uri,
            uris,
            vhost_user: None,
            file: None,
            block_device: None,
            served,
            by_daemon: true,
        }
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Served { path, size, uuid, .. } = &self.served;
        let made = if self.served.created { "made and serving" } else { "serving" };
        let access = if self.served.read_only { ", read-only" } else { "" };
        writeln!(f, "{made} {} ({}{access}), volume {uuid}", path.display(), ByteLen(*size))?;
        section(f, "file", &self.file.iter().map(|file| file.display().to_string()).collect::<Vec<_>>())?;
        section(f, "block device", &self.block_device.iter().map(BlockDevice::to_string).collect::<Vec<_>>())?;
        section(f, "NBD URI", &self.uris)?;
        section(f, "mount it, as root", &self.mount)?;
        section(f, "unmount it", &self.unmount)?;
        section(f, "or, with the kernel's nbd module", self.nbd_client.as_slice())?;
        let title = if self.mount.is_empty() { "use it in a virtual machine" } else { "or, in a virtual machine" };
        section(f, title, std::slice::from_ref(&self.qemu))?;
        if self.by_daemon {
            return writeln!(f, "The daemon serves it from now on, also after its next start.");
        }
        writeln!(f, "Ctrl-C stops it.")
    }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}:")?;
    lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
}
