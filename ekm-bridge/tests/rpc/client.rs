//! A small HTTPS client, so that tests see bytes and not what a library makes of them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};

/// A connection with TLS.
pub(crate) type Tls = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// Speaks HTTP/1.1 on one connection after the other.
pub(crate) struct Client {
    address: SocketAddr,
    config: Arc<ClientConfig>,
    authorization: Option<String>,
    connection: Option<Tls>,
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, certificate: &[u8], credentials: Option<(&str, &str)>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(certificate.to_vec())).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let authorization = credentials.map(|(user, password)| {
            format!("Basic {}", Base64::encode_string(format!("{user}:{password}").as_bytes()))
        });
        Self { address, config, authorization, connection: None }
    }

    /// A new connection, its handshake done.
    pub(crate) fn connect(&self) -> std::io::Result<Tls> {
        let mut tcp = TcpStream::connect(self.address)?;
        tcp.set_read_timeout(Some(Duration::from_secs(30)))?;
        let name = ServerName::try_from("localhost").unwrap();
        let mut tls = ClientConnection::new(Arc::clone(&self.config), name).unwrap();
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(BufReader::new(StreamOwned::new(tls, tcp)))
    }

    /// Connects, so that the next request need not.
    pub(crate) fn open(&mut self) {
        self.connection = Some(self.connect().unwrap());
    }

    /// Closes the connection, so that the next request opens another.
    pub(crate) fn disconnect(&mut self) {
        self.connection = None;
    }

    /// Sends a request as is on the open connection or a new one.
    pub(crate) fn send(&mut self, request: &[u8]) -> std::io::Result<Response> {
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
    pub(crate) fn request(&self, method: &str, path: &str, body: &[u8]) -> Vec<u8> {
        let authorization =
            self.authorization.as_ref().map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    }

    /// Posts a body to `/json-rpc/12.3`.
    pub(crate) fn post(&mut self, body: &[u8]) -> Response {
        self.send(&self.request("POST", "/json-rpc/12.3", body)).unwrap()
    }

    /// The whole reply to a call.
    pub(crate) fn reply(&mut self, method: &str, params: &Value) -> Value {
        let body = serde_json::to_vec(&json!({"method": method, "id": 1, "params": params})).unwrap();
        let response = self.post(&body);
        assert_eq!(response.status, 200, "{method}: {}", response.text());
        response.json()
    }

    /// The result of a call that succeeds.
    pub(crate) fn ok(&mut self, method: &str, params: Value) -> Value {
        let mut reply = self.reply(method, &params);
        assert!(reply.get("error").is_none(), "{method} {params}: {reply}");
        assert!(reply["result"].is_object(), "{method} {params}: {reply}");
        reply["result"].take()
    }

    /// The name of the error of a call that fails.
    pub(crate) fn error(&mut self, method: &str, params: Value) -> String {
        let reply = self.reply(method, &params);
        assert!(reply.get("result").is_none(), "{method} {params}: {reply}");
        assert_eq!(reply["error"]["code"], 500, "{reply}");
        assert!(!reply["error"]["message"].as_str().unwrap().is_empty());
        reply["error"]["name"].as_str().unwrap().to_owned()
    }
}

impl Response {
    /// Reads one response with a length.
    pub(crate) fn read(connection: &mut Tls) -> std::io::Result<Self> {
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
        let status = lines[0].split(' ').nth(1).unwrap().parse().unwrap();
        let split =
            |line: &String| line.split_once(": ").map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let headers: Vec<_> = lines[1..].iter().filter_map(split).collect();
        let mut response = Self { status, headers, body: Vec::new() };
        let length = response.header("content-length").map_or(0, |length| length.parse().unwrap());
        response.body = vec![0; length];
        connection.read_exact(&mut response.body)?;
        Ok(response)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}
