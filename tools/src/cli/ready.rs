//! What `sear up` prints once clients can connect: URIs, and the lines that mount the volume.

use std::fmt;
use std::path::PathBuf;

use datapath::export::nbd::Uri;
use keywrap::geometry::ByteLen;
use serde::Serialize;
use uuid::Uuid;

use crate::mount::{self, quote};
use crate::serve::BlockDevice;

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
    /// The first of `uris`; without NBD there is none.
    uri: Option<String>,
    uris: Vec<String>,
    block_device: Option<BlockDevice>,
    #[serde(flatten)]
    served: Served,
    mount: Vec<String>,
    unmount: Vec<String>,
    nbd_client: Option<String>,
    qemu: Option<String>,
}

impl Ready {
    /// Works out the lines.
    pub(super) fn new(served: Served, uris: &[Uri], block_device: Option<BlockDevice>) -> Self {
        let label = mount::label(&served.name);
        let Served { sector_size, created, read_only, .. } = served;
        let nbd_client = uris.first().map(|uri| mount::nbd_client(uri, sector_size));
        let uris: Vec<String> = uris.iter().map(Uri::to_string).collect();
        let uri = uris.first().cloned();
        let (mount, unmount) = match (&block_device, &uri) {
            (Some(device), _) => mount::device_lines(&device.path, &label, created, read_only),
            (None, Some(uri)) => {
                let lines = mount::mount_lines(uri, &label, sector_size, created, read_only);
                (lines, mount::unmount_lines(&label))
            }
            (None, None) => Default::default(),
        };
        let drive = |uri: &String| quote(&format!("file={uri},format=raw,if=virtio"));
        let qemu = uri.as_ref().map(|uri| format!("qemu-system-x86_64 … -drive {}", drive(uri)));
        Self { event: "ready", uri, uris, block_device, served, mount, unmount, nbd_client, qemu }
    }
}

impl fmt::Display for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Served { path, size, uuid, .. } = &self.served;
        let made = if self.served.created { "made and serving" } else { "serving" };
        let access = if self.served.read_only { ", read-only" } else { "" };
        writeln!(f, "{made} {} ({}{access}), volume {uuid}", path.display(), ByteLen(*size))?;
        if let Some(BlockDevice { path, recovered }) = &self.block_device {
            let taken = if *recovered { " (taken over from an earlier server; what was mounted goes on)" } else { "" };
            section(f, "block device", &[format!("{}{taken}", path.display())])?;
        }
        section(f, "NBD URI", &self.uris)?;
        section(f, "mount it, as root", &self.mount)?;
        section(f, "unmount it", &self.unmount)?;
        section(f, "or, with the kernel's nbd module", self.nbd_client.as_slice())?;
        section(f, "or, in a virtual machine", self.qemu.as_slice())?;
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
