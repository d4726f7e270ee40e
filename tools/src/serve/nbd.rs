//! The NBD server of a volume. Its threads serve a virtual machine too.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use datapath::export::nbd::{self, Config, Export, Limits, Server};
use datapath::export::ublk::Device;
use datapath::volume::Volume;

use super::{ServeArgs, address, ublk, vhost};
use crate::error::Error;
use crate::hardening::Needs;
use crate::parse::Listen;
use crate::signals::StopSignals;

/// Listens where it is told to; else at `default_socket`, or nowhere when the volume is served in another way.
pub(super) fn bind(
    arguments: &ServeArgs,
    volume: Arc<Volume>,
    name: String,
    description: String,
    default_socket: PathBuf,
) -> Result<Server, Error> {
    let listen = match arguments.listen.as_slice() {
        [] if arguments.ublk || arguments.vhost_user.is_some() => Vec::new(),
        [] => vec![address::resolve(&Listen::Unix(default_socket))?],
        typed => typed.iter().map(address::resolve).collect::<Result<_, _>>()?,
    };
    let tls = arguments.tls.config();
    if tls.is_none() {
        listen.iter().for_each(warn_of_plaintext);
    }
    let exports = vec![Export { name, description, volume }];
    Ok(Server::bind(Config { exports, listen, tls, limits: Limits::default(), workers: None, ring: None })?)
}

/// What is still to be done once it listens: its sockets are removed at the end.
pub(super) fn add_needs(server: &Server, needs: &mut Needs) {
    let sockets = server.uris().into_iter().filter_map(|uri| match uri.at {
        nbd::Listen::Unix(path) => Some(path),
        nbd::Listen::Tcp(_) => None,
    });
    needs.removes.extend(sockets);
}

fn warn_of_plaintext(listen: &nbd::Listen) {
    if let nbd::Listen::Tcp(at) = listen
        && !at.ip().is_loopback()
    {
        tracing::warn!(%at, "anybody who reaches this address can read and write the volume; use --tls-cert and --tls-client-ca");
    }
}

/// Serves until a signal asks for an end; then removes the block device, once nobody uses it, stops accepting, drains
/// and flushes.
pub(super) fn run_until(
    server: Server,
    device: Option<Box<Device>>,
    vhost: Option<vhost::Served>,
    mut signals: StopSignals,
) -> Result<(), Error> {
    let (handle, (detached, outcome)) = (server.handle(), mpsc::channel());
    let stop = move || {
        signals.wait();
        tracing::info!("asked to stop");
        // If the server has ended by itself, nobody wants to know.
        let _ = detached.send(device.map_or(Ok(()), |device| ublk::detach(*device)));
        handle.shutdown();
    };
    thread::Builder::new().name("signals".to_owned()).spawn(stop).map_err(Error::Signals)?;
    let served = server.run();
    if let Some(vhost) = vhost {
        vhost.end(&served);
    }
    served?;
    outcome.try_recv().unwrap_or(Ok(()))
}
