//! Where an export listens: `unix:SOCKET` or `tcp:HOST:PORT`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// The longest path that fits `sockaddr_un` with its final zero (unix(7)).
const MAX_SOCKET_PATH: usize = 107;

/// A listen address, before any name is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    /// A socket in the file system.
    Unix(PathBuf),
    /// A host name or address, and a port; port 0 lets the system choose.
    Tcp {
        /// Name or address, an IPv6 address without its brackets.
        host: String,
        /// The port.
        port: u16,
    },
}

/// Why a text is not a listen address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadListen {
    /// Neither scheme.
    #[error("expected unix:SOCKET or tcp:HOST:PORT")]
    Scheme,
    /// `unix:` without a path, or one that the kernel cannot bind.
    #[error("a socket path has 1 to {MAX_SOCKET_PATH} bytes")]
    SocketPath,
    /// `tcp:` without host or port.
    #[error("expected tcp:HOST:PORT, with an IPv6 address in brackets: tcp:[::1]:10809")]
    HostPort,
}

impl FromStr for Listen {
    type Err = BadListen;

    fn from_str(text: &str) -> Result<Self, BadListen> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(path);
        }
        tcp(text.strip_prefix("tcp:").ok_or(BadListen::Scheme)?)
    }
}

fn unix(path: &str) -> Result<Listen, BadListen> {
    match path.len() {
        1..=MAX_SOCKET_PATH => Ok(Listen::Unix(path.into())),
        _ => Err(BadListen::SocketPath),
    }
}

fn tcp(text: &str) -> Result<Listen, BadListen> {
    let (host, port) = text.rsplit_once(':').ok_or(BadListen::HostPort)?;
    let port = port.parse().map_err(|_| BadListen::HostPort)?;
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let host = match bracketed {
        Some(address) => address,
        None if host.contains(':') => return Err(BadListen::HostPort),
        None => host,
    };
    if host.is_empty() {
        return Err(BadListen::HostPort);
    }
    Ok(Listen::Tcp { host: host.to_owned(), port })
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_they_were_typed() {
        for text in ["unix:/run/sear.sock", "unix:a", "tcp:localhost:10809", "tcp:127.0.0.1:0", "tcp:[::1]:10809"] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("unix:/{}", "x".repeat(MAX_SOCKET_PATH));
        for (text, error) in [
            ("", BadListen::Scheme),
            ("/run/sear.sock", BadListen::Scheme),
            ("udp:host:1", BadListen::Scheme),
            ("unix:", BadListen::SocketPath),
            (long.as_str(), BadListen::SocketPath),
            ("tcp:host", BadListen::HostPort),
            ("tcp::1", BadListen::HostPort),
            ("tcp:host:65536", BadListen::HostPort),
            ("tcp:::1:10809", BadListen::HostPort),
            ("tcp:[]:1", BadListen::HostPort),
        ] {
            assert_eq!(text.parse::<Listen>(), Err(error), "{text}");
        }
    }
}
