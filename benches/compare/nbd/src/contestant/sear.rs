//! Sear's own programs: the command `sear`, and the example server that can leave the cipher out.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use super::fuse::{self, Mounted};
use super::{Address, EXPORT, Running, Start, Target, tls};
use crate::host::process::{Server, output};
use crate::host::scratch::Image;

/// Where Sear's programs are.
#[derive(Clone, Debug)]
pub(crate) struct Ours {
    /// The command.
    pub(crate) sear: PathBuf,
    /// The example `nbd_serve`, for the same path without the cipher.
    pub(crate) plain: PathBuf,
}

impl Ours {
    /// As given, or else beside this program, where cargo puts them.
    pub(crate) fn find(sear: Option<PathBuf>, plain: Option<PathBuf>) -> Self {
        let beside = env::current_exe().ok().and_then(|this| Some(this.parent()?.to_owned())).unwrap_or_default();
        Self {
            sear: sear.unwrap_or_else(|| beside.join("sear")),
            plain: plain.unwrap_or_else(|| beside.join("examples/nbd_serve")),
        }
    }
}

pub(super) fn encrypted(at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    let address = at.address()?;
    let mut command = up(at);
    command.args(["--name", EXPORT, "--listen"]).arg(listen(&address));
    if matches!(address, Address::Tcp(_)) {
        let folder = tls::folder(at.scratch);
        command.arg("--tls-cert").arg(folder.join("server-cert.pem"));
        command.arg("--tls-key").arg(folder.join("server-key.pem"));
    }
    at.serve(command, &address, EXPORT)
}

pub(super) fn plain(at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    let address = at.address()?;
    let mut command = Command::new(&at.ours.plain);
    command.arg("--plain").arg(at.scratch.image(Image::Plain)).arg(listen(&address));
    if matches!(address, Address::Tcp(_)) {
        let folder = tls::folder(at.scratch);
        command.arg(folder.join("server-cert.pem")).arg(folder.join("server-key.pem"));
    }
    at.serve(command, &address, EXPORT)
}

/// `sear up PATH --fuse DIR`: the volume as the file `disk` in DIR, as `nbdfuse` offers it.
pub(super) fn fuse(at: &Start<'_>) -> Result<Running, Box<dyn Error>> {
    let help = output(Command::new(&at.ours.sear).args(["up", "--help"]))?;
    if !help.contains("--fuse") {
        return Err("this `sear up` has no --fuse".into());
    }
    let place = fuse::Place::new(at)?;
    let mut command = up(at);
    let mut option = OsString::from("--fuse=");
    option.push(place.folder());
    command.arg(option);
    let mut server = Server::start(&mut command, at.cores, at.own("log"))?;
    server.wait_until(|| place.is_there())?;
    let mounted = Mounted::new(place)?;
    let target = Target::File(mounted.device().to_owned());
    Ok(Running { mount: Some(mounted), servers: vec![server], target })
}

fn up(at: &Start<'_>) -> Command {
    let mut command = Command::new(&at.ours.sear);
    command.arg("--state-dir").arg(at.scratch.path("state"));
    command.arg("up").arg(at.scratch.image(Image::Sear)).arg("--size").arg(at.scratch.image_len().to_string());
    command
}

fn listen(address: &Address) -> String {
    match address {
        Address::Unix(path) => format!("unix:{}", path.display()),
        Address::Tcp(port) => format!("tcp:127.0.0.1:{port}"),
    }
}
