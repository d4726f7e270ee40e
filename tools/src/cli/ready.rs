//! What `sear up` prints once clients can connect: URIs, and the lines that mount the volume.

use std::fmt;
use std::path::PathBuf;

use datapath::export::nbd::Uri;
use keywrap::geometry::ByteLen;
use serde::Serialize;
use uuid::Uuid;

use crate::mount::{self, Target, quote};
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
}

impl Ready {
    /// Works out the lines. The server has at least one URI, a file, or a block device.
    pub(super) fn new(served: Served, server: &Bound) -> Self {
        let (uris, file, block_device) = (server.uris(), server.file(), server.block_device());
        let label = mount::label(&served.name);
        let nbd_client = uris.first().map(|uri| mount::nbd_client(uri, served.sector_size));
        let uris: Vec<String> = uris.iter().map(Uri::to_string).collect();
        let uri = uris.first().cloned();
        let target = match (&file, &block_device) {
            (Some(file), _) => Target::File(file),
            (None, Some(device)) => Target::Device(&device.path),
            (None, None) => Target::Uri(uri.as_deref().unwrap_or_default()),
        };
        // Not even root can open the file of another user's server.
        let closed = file.is_some() && !rustix::process::geteuid().is_root();
        let Served { sector_size, created, read_only, .. } = served;
        let drive = match (&uri, &target) {
            (Some(uri), _) => uri.clone(),
            (None, Target::File(path) | Target::Device(path)) => path.display().to_string(),
            (None, Target::Uri(uri)) => (*uri).to_owned(),
        };
        Self {
            event: "ready",
            mount: if closed { vec![] } else { mount::mount_lines(&target, &label, sector_size, created, read_only) },
            unmount: if closed { vec![] } else { mount::unmount_lines(&target, &label) },
            nbd_client,
            qemu: format!("qemu-system-x86_64 … -drive {}", quote(&format!("file={drive},format=raw,if=virtio"))),
            uri,
            uris,
            file,
            block_device,
            served,
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
        section(f, "or, in a virtual machine", std::slice::from_ref(&self.qemu))?;
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
