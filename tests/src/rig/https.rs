//! A small HTTPS client of the API, so that tests see bytes and not what a library makes of them.
//!
//! The tests of `ekm-bridge` include this file as well, so it uses nothing else of this crate.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};

/// A connection with TLS.
pub type Tls = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// Speaks HTTP/1.1 on one connection after the other.
pub struct Client {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    authorization: Option<String>,
    connection: Option<Tls>,
}

/// A response.
#[derive(Debug)]
pub struct Response {
    /// The status of HTTP.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Client {
    /// A client of the server at `address` that trusts this certificate (DER) and nobody else.
    ///
    /// # Panics
    /// When it is no certificate.
    #[must_use]
    pub fn new(address: SocketAddr, certificate: &[u8], credentials: Option<(&str, &str)>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(certificate.to_vec())).expect("the certificate is one");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("the provider has the usual versions");
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let authorization = credentials.map(|(user, password)| {
            format!("Basic {}", Base64::encode_string(format!("{user}:{password}").as_bytes()))
        });
        Self { address, config, authorization, connection: None }
    }

    /// The same with the certificate in PEM; what else the text holds is not looked at.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn trusting_pem(address: SocketAddr, pem: &[u8], credentials: Option<(&str, &str)>) -> Self {
        let certificate = CertificateDer::from_pem_slice(pem).expect("the text holds a certificate");
        Self::new(address, &certificate, credentials)
    }

    /// A new connection, its handshake done.
    ///
    /// # Errors
    /// When the server does not take it.
    ///
    /// # Panics
    /// Never: `localhost` is a name.
    pub fn connect(&self) -> std::io::Result<Tls> {
        let mut tcp = TcpStream::connect(self.address)?;
        tcp.set_read_timeout(Some(Duration::from_secs(30)))?;
        let name = ServerName::try_from("localhost").expect("it is a name");
        let mut tls = ClientConnection::new(Arc::clone(&self.config), name).map_err(std::io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(BufReader::new(StreamOwned::new(tls, tcp)))
    }

    /// Connects, so that the next request need not.
    ///
    /// # Panics
    /// When the server does not take the connection.
    pub fn open(&mut self) {
        self.connection = Some(self.connect().expect("the server takes connections"));
    }

    /// Closes the connection, so that the next request opens another.
    pub fn disconnect(&mut self) {
        self.connection = None;
    }

    /// Sends a request as is on the open connection or a new one.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn send(&mut self, request: &[u8]) -> std::io::Result<Response> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        connection.get_mut().write_all(request)?;
        let response = Response::read(&mut connection)?;
        if response.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(response)
    }

    /// A request with these parts and the client's credentials.
    #[must_use]
    pub fn request(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let authorization =
            self.authorization.as_ref().map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    /// Posts a body to `/json-rpc/12.3`.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn post(&mut self, body: &[u8]) -> Response {
        self.send(&self.request("POST", "/json-rpc/12.3", body)).expect("the server answers")
    }

    /// The whole reply to a call.
    ///
    /// # Panics
    /// When there is none.
    pub fn reply(&mut self, method: &str, params: &Value) -> Value {
        let body = json!({"method": method, "id": 1, "params": params}).to_string();
        let response = self.post(body.as_bytes());
        assert_eq!(response.status, 200, "{method}: {}", response.text());
        response.json()
    }

    /// The result of a call that succeeds.
    ///
    /// # Panics
    /// When it fails.
    pub fn ok(&mut self, method: &str, params: Value) -> Value {
        let mut reply = self.reply(method, &params);
        assert!(reply.get("error").is_none(), "{method} {params}: {reply}");
        assert!(reply["result"].is_object(), "{method} {params}: {reply}");
        reply["result"].take()
    }

    /// The name of the error of a call that fails.
    ///
    /// # Panics
    /// When it succeeds.
    pub fn error(&mut self, method: &str, params: Value) -> String {
        let reply = self.reply(method, &params);
        assert!(reply.get("result").is_none(), "{method} {params}: {reply}");
        assert_eq!(reply["error"]["code"], 500, "{reply}");
        let text = |member: &str| reply["error"][member].as_str().expect("it is a text").to_owned();
        assert!(!text("message").is_empty());
        text("name")
    }
}

impl Response {
    /// Reads one response with a length.
    ///
    /// # Errors
    /// When there is no whole one.
    ///
    /// # Panics
    /// When its length is no number.
    pub fn read(connection: &mut Tls) -> std::io::Result<Self> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if connection.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let status = lines.first().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
        let status = status.ok_or(std::io::ErrorKind::InvalidData)?;
        let split =
            |line: &String| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let headers: Vec<_> = lines[1..].iter().filter_map(split).collect();
        let mut response = Self { status, headers, body: Vec::new() };
        let length =
            response.header("content-length").map_or(0, |length| length.parse().expect("a length is a number"));
        response.body = vec![0; length];
        connection.read_exact(&mut response.body)?;
        Ok(response)
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    /// The body as text.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).expect("bodies are text")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}
