//! From an address as it was typed to one that a server can bind.

use std::net::{SocketAddr, ToSocketAddrs};

use datapath::export::nbd;

use crate::error::Error;
use crate::parse::Listen;

/// Makes a socket path absolute, so that the URI works from everywhere, and looks a host name up.
///
/// # Errors
/// When the working directory is gone, or the name has no address.
pub(crate) fn resolve(typed: &Listen) -> Result<nbd::Listen, Error> {
    match typed {
        Listen::Unix(path) => Ok(nbd::Listen::Unix(std::path::absolute(path).map_err(Error::io("find", path))?)),
        Listen::Tcp { host, port } => Ok(nbd::Listen::Tcp(look_up(typed, host, *port)?)),
    }
}

/// An IPv4 address where there is one: it is what `localhost` means on every machine.
fn look_up(typed: &Listen, host: &str, port: u16) -> Result<SocketAddr, Error> {
    let failed = |source| Error::LookUp { address: typed.to_string(), source };
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs().map_err(failed)?.collect();
    let chosen = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first()).copied();
    chosen.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<nbd::Listen, Error> {
        resolve(&text.parse().unwrap())
    }

    #[test]
    fn a_socket_path_becomes_absolute() {
        let here = std::env::current_dir().unwrap();
        assert_eq!(resolved("unix:s").unwrap(), nbd::Listen::Unix(here.join("s")));
    }

    #[test]
    fn addresses_are_taken_as_they_are_and_localhost_is_ipv4() {
        assert_eq!(resolved("tcp:[::1]:7").unwrap(), nbd::Listen::Tcp("[::1]:7".parse().unwrap()));
        assert_eq!(resolved("tcp:localhost:7").unwrap(), nbd::Listen::Tcp("127.0.0.1:7".parse().unwrap()));
        assert!(matches!(resolved("tcp:no.such.host.invalid:7"), Err(Error::LookUp { .. })));
    }
}
