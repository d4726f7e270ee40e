//! What the tests share: the key manager, and clients of it.

#[path = "../../../../tests/src/rig/pypi/mod.rs"]
#[allow(dead_code, unreachable_pub, unused_imports, reason = "other tests use the rest of it")]
mod pypi;

pub(crate) use pypi::{Prepared, Server, Start, shared};

use std::time::Duration;

use ekm_bridge::kmip::{Client, Credential, ErrorKind, KeyName, KmipError, MasterKeys, ProtocolVersion};
use ekm_bridge::transport::{Connection, Endpoint, ServerConfig, TlsIdentity};
use keywrap::keys::KeyId;
use uuid::Uuid;

/// Where the server listens, with time-outs for tests.
pub(crate) fn config(host: &str, port: u16) -> ServerConfig {
    let timeout = Duration::from_secs(20);
    ServerConfig {
        connect_timeout: timeout,
        request_timeout: timeout,
        ..ServerConfig::new("pykmip", vec![Endpoint { host: host.into(), port }])
    }
}

/// A client that shows the certificate `name` and trusts the authority `ca`.
pub(crate) fn identity(prepared: &Prepared, ca: &str, name: &str) -> TlsIdentity {
    let [ca, certificate, key] = [format!("{ca}.crt"), format!("{name}.crt"), format!("{name}.key")];
    let file = |name: &str| prepared.pki().join(name);
    TlsIdentity::from_files(&file(&ca), &file(&certificate), &file(&key)).unwrap()
}

/// The good client, in a version that is given or found out.
pub(crate) fn client(server: &Server, version: Option<ProtocolVersion>) -> Client<Connection> {
    let identity = identity(server.prepared(), "ca", "client");
    Client::new(Connection::new(config("localhost", server.port()), identity)).with_version(version)
}

/// The verbs of the good client.
pub(crate) fn keys(server: &Server) -> MasterKeys<Connection> {
    MasterKeys::new(client(server, None))
}

/// A user of the server.
pub(crate) fn credential(user: &str, password: &str) -> Option<Credential> {
    Some(Credential { user: user.into(), password: password.to_owned().into() })
}

/// A key that nobody has used yet.
pub(crate) fn new_name() -> KeyName {
    KeyName { cluster: Uuid::from_u128(0xC1), key: KeyId::random() }
}

/// The error, which must be of this kind and say all of this.
pub(crate) fn expect<T>(outcome: Result<T, KmipError>, kind: ErrorKind, words: &[&str]) {
    let error = outcome.err().expect("it fails");
    println!("{error}");
    assert_eq!(error.kind, kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "no {word:?} in: {error}");
    }
}
