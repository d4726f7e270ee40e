//! Where a server listens.

use std::fmt;
use std::str::FromStr;

/// The port that IANA gave to KMIP.
const PORT: u16 = 5696;

/// A host name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A name, an IPv4 address or an IPv6 address without brackets. The server's certificate has to be for it.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A text that names no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no host name or address with an optional port; write host, host:port, 192.0.2.1:port or [2001:db8::1]:port"
)]
pub struct BadEndpoint(pub String);

impl FromStr for Endpoint {
    type Err = BadEndpoint;

    fn from_str(text: &str) -> Result<Self, BadEndpoint> {
        let bad = || BadEndpoint(text.into());
        let (host, port) = split(text).ok_or_else(bad)?;
        let port = if port.is_empty() { PORT } else { port.parse().map_err(|_| bad())? };
        match host {
            "" => Err(bad()),
            host if host.contains(['[', ']', '/', ' ']) => Err(bad()),
            host => Ok(Self { host: host.into(), port }),
        }
    }
}

/// Host and port; an address with more than one colon is IPv6 and has a port only behind brackets.
fn split(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = if rest.is_empty() { "" } else { rest.strip_prefix(':').filter(|port| !port.is_empty())? };
        return Some((host, port));
    }
    match text.split_once(':') {
        None => Some((text, "")),
        Some((_, rest)) if rest.contains(':') => Some((text, "")),
        Some((_, "")) => None,
        Some(parts) => Some(parts),
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_addresses_are_read_with_and_without_a_port() {
        let cases = [
            ("kms.example.org", "kms.example.org:5696"),
            ("kms:15696", "kms:15696"),
            ("192.0.2.1:1", "192.0.2.1:1"),
            ("2001:db8::1", "[2001:db8::1]:5696"),
            ("[2001:db8::1]:99", "[2001:db8::1]:99"),
            ("[::1]", "[::1]:5696"),
        ];
        for (text, shown) in cases {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in ["", ":1", "host:", "host:65536", "host:x", "[::1", "[::1]x", "[::1]:", "a b", "kmip://host"] {
            assert!(text.parse::<Endpoint>().is_err(), "{text}");
        }
    }
}
