//! `nbd-server(1)`, the protocol's first server. It always goes into the background, and makes a process per client.

use std::error::Error;
use std::fs;
use std::process::Command;

use super::{Address, EXPORT, Running, Start};
use crate::host::process::Server;
use crate::host::scratch::Image;

pub(super) fn start(at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    let address = at.address()?;
    let Address::Unix(socket) = &address else {
        return Err("it is compared on a Unix socket only".into());
    };
    let (configuration, pid_file) = (at.own("conf"), at.own("pid"));
    let image = at.scratch.image(Image::Plain);
    // No limit on connections: it counts those that have ended until it notices.
    let text = format!("[generic]\nunixsock = {}\n[{EXPORT}]\nexportname = {}\n", socket.display(), image.display());
    fs::write(&configuration, text)?;
    let mut command = Command::new("nbd-server");
    command.arg("-C").arg(configuration).arg("-p").arg(&pid_file);
    let server = Server::start_daemon(&mut command, at.cores, at.own("log"), &pid_file)?;
    at.ready(server, &address, EXPORT)
}
