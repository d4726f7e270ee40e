//! QEMU's servers: `qemu-nbd(8)` and `qemu-storage-daemon(1)`. Image locks are off where several of them share an image;
//! they have no cache of their own, and are measured one after the other.

use std::error::Error;
use std::process::Command;

use super::{Address, CLIENTS, EXPORT, Running, Start, tls};
use crate::host::scratch::Image;

pub(super) fn raw(at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    qemu_nbd(at, &format!("driver=raw,{}", file(at, "file.", Image::Plain)), &[])
}

pub(super) fn luks(at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    let image = format!("driver=luks,key-secret=key,{}", file(at, "file.", Image::Luks1));
    qemu_nbd(at, &image, &["--object".into(), secret(at)])
}

pub(super) fn storage_daemon(at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    let address = at.address()?;
    let Address::Unix(socket) = &address else {
        return Err("it is compared on a Unix socket only".into());
    };
    let mut command = Command::new("qemu-storage-daemon");
    command.arg("--object").arg(secret(at));
    command.arg("--blockdev").arg(format!("node-name=file,{}", file(at, "", Image::Luks1)));
    command.args(["--blockdev", "driver=luks,node-name=luks,file=file,key-secret=key"]);
    command.arg("--nbd-server");
    command.arg(format!("addr.type=unix,addr.path={},max-connections={CLIENTS}", socket.display()));
    command.arg("--export").arg(format!("type=nbd,id=export,node-name=luks,name={EXPORT},writable=on"));
    at.serve(command, &address, EXPORT)
}

fn qemu_nbd(at: &Start<'_>, image: &str, objects: &[String]) -> Result<Running, Box<dyn Error>> {
    let address = at.address()?;
    let mut command = Command::new("qemu-nbd");
    command.args(["--persistent", "--shared", CLIENTS, "--export-name", EXPORT]).args(objects);
    match &address {
        Address::Unix(path) => command.arg("--socket").arg(path),
        Address::Tcp(port) => {
            command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--tls-creds", "tls", "--object"]);
            let folder = tls::folder(at.scratch);
            command.arg(format!("tls-creds-x509,id=tls,dir={},endpoint=server,verify-peer=no", folder.display()))
        }
    };
    command.arg("--image-opts").arg(image);
    at.serve(command, &address, EXPORT)
}

/// The options of the file below, each with a prefix.
fn file(at: &Start<'_>, prefix: &str, image: Image) -> String {
    let path = at.scratch.image(image);
    let mut options = vec!["driver=file".to_owned(), format!("filename={}", path.display()), "locking=off".into()];
    if at.direct {
        options.extend(["cache.direct=on".into(), "aio=native".into()]);
    }
    options.iter().map(|option| format!("{prefix}{option}")).collect::<Vec<_>>().join(",")
}

fn secret(at: &Start<'_>) -> String {
    format!("secret,id=key,file={}", at.scratch.passphrase().display())
}
