//! The server through TLS, with certificates made here.

use std::fs;
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::client::*;
use super::*;
use crate::export::nbd::{BindError, TlsError};

type TlsStream = StreamOwned<ClientConnection, UnixStream>;

/// A certificate authority and what it signed, as PEM text.
struct Pki {
    authority: String,
    server: (String, String),
    client: (String, String),
}

impl Pki {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let sign = |usage| {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
            params.extended_key_usages = vec![usage];
            (params.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem())
        };
        let server = sign(ExtendedKeyUsagePurpose::ServerAuth);
        let client = sign(ExtendedKeyUsagePurpose::ClientAuth);
        Self { authority: issuer.pem(), server, client }
    }

    /// Writes what a server needs.
    fn config(&self, dir: &Path, clients_must_prove: bool, optional: bool) -> TlsConfig {
        let write = |name: &str, text: &str| {
            fs::write(dir.join(name), text).unwrap();
            dir.join(name)
        };
        let authorities = write("ca.pem", &self.authority);
        TlsConfig {
            certificates: write("cert.pem", &self.server.0),
            key: write("key.pem", &self.server.1),
            client_authorities: clients_must_prove.then_some(authorities),
            optional,
        }
    }

    /// A client's session that trusts this authority and shows `identity`.
    fn session(&self, identity: Option<&(String, String)>) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
                builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap()
            }
        };
        ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap()
    }
}

/// A client that has asked for TLS and been told to go on.
fn upgraded(server: &Running, session: ClientConnection) -> Client<TlsStream> {
    let mut client = Client::greet(server.stream());
    assert_eq!(client.option(OPT_STARTTLS, &[]), ACK);
    Client { stream: StreamOwned::new(session, client.stream) }
}

fn start(pki: &Pki, clients_must_prove: bool, optional: bool) -> (TempDir, Arc<MemDisk>, Running) {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(MemDisk::new(8 << 20));
    let config = pki.config(dir.path(), clients_must_prove, optional);
    let server = Running::with_tls(&disk, Limits::default(), Some(config));
    (dir, disk, server)
}

#[test]
fn requests_of_every_size_pass_through_tls() {
    let pki = Pki::new();
    let (_dir, disk, server) = start(&pki, true, false);
    let mut client = upgraded(&server, pki.session(Some(&pki.client)));
    client.go("disk");
    for len in [1, 511, 16 << 10, 65 << 10, 7 << 20] {
        let payload: Vec<u8> = (0..len).map(|at: usize| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
        client.send_write(1, 5, &payload);
        assert_eq!(client.reply(), Reply::ok(1, &[]));
        client.send(READ, 0, 2, 5, u32::try_from(len).unwrap());
        assert!(client.reply() == Reply::ok(2, &payload), "{len}");
        assert!(disk.content()[5..5 + len] == payload);
    }
    client.send(DISC, 0, 3, 0, 0);
    assert_eq!(std::io::Read::read(&mut client.stream, &mut [0]).unwrap(), 0, "the session is closed, not cut");
}

#[test]
fn many_requests_in_flight_pass_through_one_session() {
    let pki = Pki::new();
    let (_dir, _disk, server) = start(&pki, false, false);
    let mut client = upgraded(&server, pki.session(None));
    client.go("disk");
    for round in 0..20_u64 {
        for cookie in 0..16 {
            client.send_write(cookie, cookie << 16, &[u8::try_from(round).unwrap(); 9000]);
        }
        let mut cookies: Vec<u64> = (0..16).map(|_| client.reply().cookie).collect();
        cookies.sort_unstable();
        assert_eq!(cookies, (0..16).collect::<Vec<_>>());
    }
}

#[test]
fn a_client_without_the_right_certificate_is_refused() {
    let pki = Pki::new();
    let (_dir, _disk, server) = start(&pki, true, false);
    let stranger = Pki::new();
    for identity in [None, Some(&stranger.client), Some(&pki.server)] {
        let mut client = upgraded(&server, pki.session(identity));
        let outcome = client.stream.conn.complete_io(&mut client.stream.sock);
        // In TLS 1.3 the client is done before the server has judged, and learns it from what it reads.
        let refused = outcome.is_err() || std::io::Read::read(&mut client.stream, &mut [0]).is_err();
        assert!(refused, "{:?}", identity.map(|identity| &identity.0));
    }
}

#[test]
fn what_follows_the_upgrade_in_the_clear_is_never_taken_for_an_option() {
    let pki = Pki::new();
    let (_dir, _disk, server) = start(&pki, false, false);
    let mut client = Client::greet(server.stream());
    let injected = [&b"IHAVEOPT\0\0\0\x05\0\0\0\0"[..], b"IHAVEOPT\0\0\0\x08\0\0\0\0"].concat();
    std::io::Write::write_all(&mut client.stream, &injected).unwrap();
    let mut ack = [0; 20];
    std::io::Read::read_exact(&mut client.stream, &mut ack).unwrap();
    assert_eq!(ack[8..16], [0, 0, 0, 5, 0, 0, 0, 1]);
    let mut rest = Vec::new();
    // The alert about the garbage may be followed by a reset.
    let _ = std::io::Read::read_to_end(&mut client.stream, &mut rest);
    assert_eq!(rest.first(), Some(&21), "a TLS alert, not an option reply");
}

#[test]
fn optional_tls_serves_in_the_clear_too() {
    let pki = Pki::new();
    let (_dir, _disk, server) = start(&pki, false, true);
    server.client();
    let mut client = upgraded(&server, pki.session(None));
    client.go("disk");
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let pki = Pki::new();
    let dir = tempfile::tempdir().unwrap();
    let good = pki.config(dir.path(), true, false);
    let bind = |tls: TlsConfig| {
        let exports = vec![export("disk", MemDisk::new(4096).volume)];
        match Server::bind(Config { tls: Some(tls), ..config(exports) }) {
            Err(BindError::Tls(error)) => error,
            other => panic!("{:?}", other.err()),
        }
    };
    let missing = bind(TlsConfig { key: dir.path().join("nowhere"), ..good.clone() });
    assert!(missing.to_string().contains("nowhere is not a readable PEM file with a private key"), "{missing}");
    let swapped = bind(TlsConfig { certificates: good.key.clone(), ..good.clone() });
    assert!(matches!(&swapped, TlsError::Pem { path, what: "certificate", .. } if *path == good.key), "{swapped}");
    fs::write(dir.path().join("other.pem"), &pki.client.1).unwrap();
    let foreign = bind(TlsConfig { key: dir.path().join("other.pem"), ..good });
    assert!(matches!(foreign, TlsError::Identity(_)), "{foreign}");
}
