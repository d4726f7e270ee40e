//! `nbdkit(1)`. It offers its plugin under any export name. Its file plugin has no direct I/O: `cache=none` drops pages
//! after they were used.

use std::error::Error;
use std::process::Command;

use super::{Address, EXPORT, Running, Start, tls};
use crate::host::scratch::Image;

pub(super) fn null(at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    start(at, |command| {
        command.arg("null").arg(format!("size={}", at.scratch.image_len()));
    })
}

pub(super) fn file(at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    start(at, |command| file_plugin(at, command, Image::Plain))
}

pub(super) fn luks(at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    start(at, |command| {
        command.arg("--filter=luks");
        file_plugin(at, command, Image::Luks1);
        command.arg(format!("passphrase=+{}", at.scratch.passphrase().display()));
    })
}

fn file_plugin(at: &Start<'_>, command: &mut Command, image: Image) {
    command.arg("file").arg(format!("file={}", at.scratch.image(image).display()));
    if at.direct {
        command.arg("cache=none");
    }
}

fn start(at: &Start<'_>, plugin: impl Fn(&mut Command)) -> Result<Running, Box<dyn Error>> {
    let address = at.address()?;
    let mut command = Command::new("nbdkit");
    command.arg("--foreground");
    match &address {
        Address::Unix(path) => command.arg("--unix").arg(path),
        Address::Tcp(port) => {
            command.args(["--ipaddr", "127.0.0.1", "--port", &port.to_string(), "--tls=require"]);
            command.arg(format!("--tls-certificates={}", tls::folder(at.scratch).display()))
        }
    };
    plugin(&mut command);
    at.serve(command, &address, EXPORT)
}
