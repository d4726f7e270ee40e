//! TLS 1.2 and 1.3, and every certificate that should be turned away, each with an error that says what to do.

use ekm_bridge::kmip::{Client, ErrorKind, KmipError, MasterKeys, ProtocolVersion};
use ekm_bridge::transport::{Connection, IdentityError, TlsIdentity};

use super::rig::{Prepared, Server, Start, config, expect, identity, new_name};

/// Asks the server for its version, as the client with this certificate that trusts this authority.
fn ask(server: &Server, ca: &str, certificate: &str) -> Result<ProtocolVersion, KmipError> {
    let identity = identity(server.prepared(), ca, certificate);
    Client::new(Connection::new(config("localhost", server.port()), identity)).version()
}

#[test]
fn both_versions_of_tls_work() {
    for tls in ["1.2", "1.3", "both"] {
        for certificate in ["server", "server_rsa"] {
            let Some(server) = Start::extended().with(&["--tls", tls, "--certificate", certificate]).or_skip() else {
                return;
            };
            let identity = identity(server.prepared(), "ca", "client");
            let mut keys = MasterKeys::new(Client::new(Connection::new(config("127.0.0.1", server.port()), identity)));
            keys.create(&new_name()).unwrap_or_else(|error| panic!("TLS {tls}, {certificate}: {error}"));
        }
    }
}

#[test]
fn a_client_that_the_server_does_not_accept_learns_why() {
    for tls in ["1.2", "1.3"] {
        let Some(server) = Start::extended().with(&["--tls", tls]).or_skip() else { return };
        let not_authenticated = ErrorKind::NotAuthenticated;
        expect(
            ask(&server, "ca", "client_foreign"),
            not_authenticated,
            &["client certificate", "authority that issued"],
        );
        expect(ask(&server, "ca", "client_expired"), not_authenticated, &["client certificate", "expired"]);
        // Its handshake goes well, and then the server refuses it in KMIP.
        expect(ask(&server, "ca", "client_noeku"), not_authenticated, &["extended key usage clientAuth"]);
        assert!(ask(&server, "ca", "client").is_ok(), "TLS {tls}: the good one");
    }
}

#[test]
fn a_server_that_the_client_does_not_accept_is_named_with_the_reason() {
    let cases = [
        ("server", "other_ca", "no authority in the CA bundle"),
        ("server_foreign", "ca", "no authority in the CA bundle"),
        ("server_expired", "ca", "expired"),
        ("server_elsewhere", "ca", "for another name"),
    ];
    for (certificate, ca, words) in cases {
        let Some(server) = Start::extended().with(&["--certificate", certificate]).or_skip() else { return };
        expect(ask(&server, ca, "client"), ErrorKind::NotAuthenticated, &["server's certificate", words]);
    }
}

#[test]
fn a_server_with_only_cbc_suites_is_refused_in_plain_words() {
    // PyKMIP as it comes offers nothing else with an RSA certificate.
    let Some(server) = Start::stock().with(&["--certificate", "server_rsa"]).or_skip() else { return };
    expect(ask(&server, "ca", "client"), ErrorKind::Refused, &["cipher suite", "CBC"]);
}

#[test]
fn what_does_not_speak_tls_is_said_to_be_that() {
    use std::io::{Read, Write};
    let Some(prepared) = Prepared::or_skip() else { return };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let identity = identity(prepared, "ca", "client");
    let mut client = Client::new(Connection::new(config("127.0.0.1", port), identity));
    expect(client.version(), ErrorKind::Refused, &["does not speak TLS"]);
}

#[test]
fn files_that_cannot_be_used_are_refused_before_any_connection() {
    let Some(prepared) = Prepared::or_skip() else { return };
    let read = |name: &str| std::fs::read(prepared.pki().join(name)).unwrap();
    let (ca, certificate, key) = (read("ca.crt"), read("client.crt"), read("client.key"));
    let fails = |outcome: Result<TlsIdentity, IdentityError>, words: &str| {
        let error = outcome.err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
        assert!(!error.contains("BEGIN"), "{error}");
    };
    assert!(TlsIdentity::from_pem(&ca, &certificate, &key).is_ok());
    fails(TlsIdentity::from_pem(b"", &certificate, &key), "CA certificate");
    fails(TlsIdentity::from_pem(&ca, &key, &key), "client certificate");
    fails(TlsIdentity::from_pem(&ca, &certificate, &certificate), "private key");
    fails(TlsIdentity::from_pem(&ca, &certificate, &read("client2.key")), "cannot be used");
    let nowhere = prepared.pki().join("nowhere");
    fails(TlsIdentity::from_files(&nowhere, &nowhere, &nowhere), "nowhere");
}
