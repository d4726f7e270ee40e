//! The API servers: one for each address, all with the same certificate.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ekm_bridge::StateDir;
use ekm_bridge::cluster::ClusterControl;
use ekm_bridge::rpc::methods::Port;
use ekm_bridge::rpc::server::{Identity, StartError};
use ekm_bridge::rpc::{Hooks, Server, ServerConfig};

use super::error::DaemonError;
use super::settings::Section;

/// A socket that listens already, and the certificate that it will show.
pub(super) struct Bound {
    socket: TcpListener,
    identity: Identity,
}

/// Listens at every address that is named.
pub(super) fn bind(section: &Section, dir: &StateDir) -> Result<Vec<Bound>, DaemonError> {
    let bind = |&address: &SocketAddr| {
        let socket = TcpListener::bind(address).map_err(|source| StartError::Listen { address, source })?;
        Ok(Bound { socket, identity: identity(section, dir)? })
    };
    section.api.iter().map(bind).collect()
}

/// Answers there.
pub(super) fn serve(
    bound: Vec<Bound>,
    section: &Section,
    control: &Arc<ClusterControl>,
    hooks: &Hooks,
) -> Result<Vec<Server>, DaemonError> {
    let start = |(Bound { socket, identity }, &listen): (Bound, &SocketAddr)| {
        let config = ServerConfig::new(listen, identity);
        let config = ServerConfig { port: port(listen), setup: section.setup(), socket: Some(socket), ..config };
        Ok(Server::start(config, Arc::clone(control) as Arc<_>, hooks.clone())?)
    };
    bound.into_iter().zip(&section.api).map(start).collect()
}

/// Public clients expect the cluster's methods on 443 and a node's on 442.
fn port(listen: SocketAddr) -> Port {
    match listen.port() {
        443 => Port::Cluster,
        442 => Port::Node,
        _ => Port::Any,
    }
}

/// The files that are named, else the certificate in the state directory.
pub(super) fn identity(section: &Section, dir: &StateDir) -> Result<Identity, DaemonError> {
    match (&section.api_cert, &section.api_key) {
        (Some(certificate), Some(key)) => {
            let key = zeroize::Zeroizing::new(read(key)?);
            Ok(Identity::from_pem(&read(certificate)?, &key)?)
        }
        (None, None) => {
            let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
            names.extend(section.api_names.iter().cloned());
            Ok(Identity::kept_in(dir, &names)?)
        }
        _ => Err(DaemonError::Section("api-cert and api-key belong together".to_owned())),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DaemonError> {
    fs::read(path).map_err(|source| DaemonError::Io { doing: "read", path: PathBuf::from(path), source })
}
