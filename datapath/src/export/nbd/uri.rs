//! NBD URIs (`doc/uri.md` of the NBD project), for people and their clients.

use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt;

use super::handshake::TlsMode;
use super::listen::Listen;

/// Where a client finds an export. Its text is what `nbdinfo`, `qemu-img` and others take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri {
    /// The listener.
    pub at: Listen,
    /// The export's name.
    pub export: String,
    /// With TLS required the scheme says so; where it is optional a client may add the `s` itself.
    pub tls: TlsMode,
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls == TlsMode::Required { "nbds" } else { "nbd" };
        let export = Escaped(self.export.as_bytes());
        match &self.at {
            Listen::Unix(path) => {
                write!(f, "{scheme}+unix:///{export}?socket={}", Escaped(path.as_os_str().as_bytes()))
            }
            Listen::Tcp(address) => write!(f, "{scheme}://{address}/{export}"),
        }
    }
}

/// Bytes with everything percent-encoded that has a meaning in a URI (RFC 3986, section 2). A slash has none in the
/// last part of a path or in a query.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                f.write_char(char::from(*byte))
            }
            other => write!(f, "%{other:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(at: Listen, export: &str, tls: TlsMode) -> String {
        Uri { at, export: export.into(), tls }.to_string()
    }

    #[test]
    fn each_kind_of_listener_has_its_scheme() {
        let unix = || Listen::Unix("/run/sear/a b.sock".into());
        let tcp = || Listen::Tcp("[::1]:10809".parse().unwrap());
        assert_eq!(text(unix(), "disk", TlsMode::None), "nbd+unix:///disk?socket=/run/sear/a%20b.sock");
        assert_eq!(text(unix(), "", TlsMode::Required), "nbds+unix:///?socket=/run/sear/a%20b.sock");
        assert_eq!(text(tcp(), "ä?", TlsMode::Optional), "nbd://[::1]:10809/%C3%A4%3F");
        assert_eq!(text(tcp(), "disk", TlsMode::Required), "nbds://[::1]:10809/disk");
    }
}
