//! When a connection is used again, and when a request is sent again: against a TLS server that follows a script.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::{ServerConfig as RustlsServer, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::kmip::ops::Repeat;
use crate::kmip::ttlv::{HEADER, Item, Limits, encode, message_length};
use crate::kmip::{ErrorKind, Exchange, Tag};

/// What the server does with one request.
#[derive(Clone, Copy)]
enum Step {
    Answer,
    /// Close the connection instead.
    HangUp,
    /// Claim a message of 2 GiB.
    Boast,
    /// Say nothing until the client goes.
    Sulk,
}

use Step::{Answer, Boast, HangUp, Sulk};

/// PEM texts: the authority, and certificate and key of each side.
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

    fn server(&self) -> Arc<RustlsServer> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = RustlsServer::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let chain = vec![CertificateDer::from_pem_slice(self.server.0.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(self.server.1.as_bytes()).unwrap();
        Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
    }

    fn client(&self) -> TlsIdentity {
        let (certificate, key) = &self.client;
        TlsIdentity::from_pem(self.authority.as_bytes(), certificate.as_bytes(), key.as_bytes()).unwrap()
    }
}

/// A client of a server that follows `script`: for each connection, what it does with each request; after the last
/// step it closes. The server returns how many requests it saw on each.
fn with_server(script: &'static [&'static [Step]]) -> (Connection, JoinHandle<Vec<usize>>) {
    let pki = Pki::new();
    let config = pki.server();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move || script.iter().map(|steps| follow(accept(&listener, &config), steps)).collect();
    let endpoint = Endpoint { host: "localhost".into(), port };
    let timeout = Duration::from_secs(20);
    let config =
        ServerConfig { connect_timeout: timeout, request_timeout: timeout, ..ServerConfig::new("t", vec![endpoint]) };
    (Connection::new(config, pki.client()), std::thread::spawn(serve))
}

type Stream = StreamOwned<ServerConnection, TcpStream>;

fn accept(listener: &TcpListener, config: &Arc<RustlsServer>) -> Stream {
    let (socket, _) = listener.accept().unwrap();
    StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), socket)
}

fn follow(mut stream: Stream, steps: &[Step]) -> usize {
    let mut seen = 0;
    for step in steps {
        if !read_request(&mut stream) {
            break;
        }
        seen += 1;
        match step {
            Answer => stream.write_all(&message()).unwrap(),
            Boast => stream.write_all(&[0x42, 0, 0x7B, 1, 0x7F, 0xFF, 0xFF, 0xF8]).unwrap(),
            Sulk => drop(read_request(&mut stream)),
            HangUp => break,
        }
        stream.flush().unwrap();
    }
    seen
}

fn read_request(stream: &mut Stream) -> bool {
    let mut header = [0; HEADER];
    if stream.read_exact(&mut header).is_err() {
        return false;
    }
    let length = message_length(header, &Limits::STANDARD).unwrap();
    stream.read_exact(&mut vec![0; length - HEADER]).is_ok()
}

fn message() -> Vec<u8> {
    encode(&Item::structure(Tag::RESPONSE_MESSAGE, vec![Item::text(Tag::NAME_VALUE, "any")])).to_vec()
}

#[test]
fn one_connection_serves_many_requests() {
    let (mut connection, server) = with_server(&[&[Answer, Answer, Answer]]);
    for _ in 0..3 {
        assert_eq!(*connection.exchange(&message(), Repeat::Harmless).unwrap(), message());
    }
    drop(connection);
    assert_eq!(server.join().unwrap(), [3]);
}

#[test]
fn a_harmless_request_on_a_connection_that_was_cut_is_sent_again_once() {
    let (mut connection, server) = with_server(&[&[Answer, HangUp], &[Answer]]);
    connection.exchange(&message(), Repeat::Harmless).unwrap();
    connection.exchange(&message(), Repeat::Harmless).unwrap();
    drop(connection);
    assert_eq!(server.join().unwrap(), [2, 1]);
}

#[test]
fn a_second_cut_in_a_row_is_an_error() {
    let (mut connection, server) = with_server(&[&[Answer, HangUp], &[HangUp]]);
    connection.exchange(&message(), Repeat::Harmless).unwrap();
    let error = connection.exchange(&message(), Repeat::Harmless).unwrap_err();
    assert_eq!((error.kind, error.was_cut), (ErrorKind::Unreachable, true), "{error}");
    assert_eq!(server.join().unwrap(), [2, 1]);
}

#[test]
fn a_request_that_makes_an_object_is_never_sent_twice() {
    let (mut connection, server) = with_server(&[&[Answer, HangUp], &[Answer]]);
    connection.exchange(&message(), Repeat::Harmless).unwrap();
    let error = connection.exchange(&message(), Repeat::MakesAnother).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReplyLost, "{error}");
    // The caller searches now; that goes over a connection of its own.
    connection.exchange(&message(), Repeat::Harmless).unwrap();
    drop(connection);
    assert_eq!(server.join().unwrap(), [2, 1]);
}

#[test]
fn an_answer_larger_than_the_limit_is_refused_by_its_header() {
    let (mut connection, server) = with_server(&[&[Boast]]);
    let error = connection.exchange(&message(), Repeat::Harmless).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(error.message.contains("1048576 are allowed"), "{error}");
    drop(connection);
    assert_eq!(server.join().unwrap(), [1]);
}

#[test]
fn a_silent_server_is_given_up_and_the_connection_with_it() {
    let (mut connection, server) = with_server(&[&[Sulk], &[Answer]]);
    connection.config_mut().request_timeout = Duration::from_millis(50);
    let error = connection.exchange(&message(), Repeat::MakesAnother).unwrap_err();
    assert_eq!((error.kind, error.was_cut), (ErrorKind::ReplyLost, false), "{error}");
    connection.config_mut().request_timeout = Duration::from_secs(20);
    connection.exchange(&message(), Repeat::Harmless).unwrap();
    drop(connection);
    assert_eq!(server.join().unwrap(), [1, 1]);
}

#[test]
fn no_endpoint_at_all_is_said() {
    let mut connection = Connection::new(ServerConfig::new("t", vec![]), Pki::new().client());
    let error = connection.exchange(&message(), Repeat::Harmless).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Unreachable, "no endpoint is configured"));
}

#[test]
fn a_server_whose_packets_were_lost_is_found_soon_after_its_return() {
    let pki = Pki::new();
    let config = pki.server();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // The kernel drops the packets of whoever wants to connect while this short queue is full.
    rustix::net::listen(&listener, 0).unwrap();
    let moment = Duration::from_millis(200);
    let waiting: Vec<TcpStream> = (0..100).map_while(|_| TcpStream::connect_timeout(&address, moment).ok()).collect();
    assert!(waiting.len() < 100, "the queue is never full");
    let count = waiting.len();
    let serve = move || {
        std::thread::sleep(Duration::from_millis(3200));
        (0..count).for_each(|_| drop(listener.accept().unwrap()));
        follow(accept(&listener, &config), &[Answer])
    };
    let server = std::thread::spawn(serve);
    let endpoint = Endpoint { host: "localhost".into(), port: address.port() };
    // Too short for kernels that would by themselves ask only after 1, 3 and 7 seconds.
    let limits = ServerConfig { connect_timeout: Duration::from_secs(6), ..ServerConfig::new("t", vec![endpoint]) };
    let mut connection = Connection::new(limits, pki.client());
    connection.exchange(&message(), Repeat::Harmless).unwrap();
    drop(connection);
    assert_eq!(server.join().unwrap(), 1);
}
