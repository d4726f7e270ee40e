//! TLS inside a connection (`NBD_OPT_STARTTLS`), by rustls with the ring provider: TLS 1.2 and 1.3, AEAD suites only.
//!
//! Two threads use one session: the reader decrypts, the writer encrypts. The session is locked for the cryptography
//! only, never during I/O. After the handshake only the writer sends; what the session itself wants to send (an answer
//! to a key update) goes out with the next reply. So records leave in the order in which they were encrypted.

use std::io::{self, IoSlice, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::fault::Fault;
use super::handshake::TlsMode;
use super::negotiate::Transport;
use super::socket::{Socket, SocketStream};

/// Received TLS bytes are read in pieces of this many: a little more than one record.
const CHUNK: usize = 17 << 10;

/// The server's certificate, and what it asks of clients. Every file is PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The certificate chain, the server's own first.
    pub certificates: PathBuf,
    /// Its private key (PKCS #8, PKCS #1 or SEC 1), not encrypted.
    pub key: PathBuf,
    /// If given, a client must show a certificate that one of these authorities signed.
    pub client_authorities: Option<PathBuf>,
    /// Clients that do not ask for TLS are served too, in the clear.
    pub optional: bool,
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read as what it should be.
    #[error("{path} is not a readable PEM file with a {what}: {reason}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What was looked for in it.
        what: &'static str,
        /// Why it was not found; never any of the content.
        reason: String,
    },
    /// The certificates in this file cannot serve as authorities.
    #[error("the client authorities in {path} cannot be used: {reason}")]
    Authorities {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Certificate and key are not accepted, or do not belong together.
    #[error("the certificate and key cannot be used: {0}")]
    Identity(#[from] rustls::Error),
}

/// TLS as a server offers it.
#[derive(Clone)]
pub(super) struct Tls {
    mode: TlsMode,
    config: Option<Arc<ServerConfig>>,
}

impl Tls {
    /// No TLS.
    pub(super) const NONE: Self = Self { mode: TlsMode::None, config: None };

    /// Reads the files.
    pub(super) fn load(config: &TlsConfig) -> Result<Self, TlsError> {
        let certificates = certificates(&config.certificates)?;
        let key = PrivateKeyDer::from_pem_file(&config.key).map_err(|error| pem(&config.key, "private key", error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
        let builder = match &config.client_authorities {
            None => builder.with_no_client_auth(),
            Some(path) => {
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities(path)?), provider)
                    .build()
                    .map_err(|error| TlsError::Authorities { path: path.clone(), reason: error.to_string() })?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mode = if config.optional { TlsMode::Optional } else { TlsMode::Required };
        Ok(Self { mode, config: Some(Arc::new(builder.with_single_cert(certificates, key)?)) })
    }

    pub(super) fn mode(&self) -> TlsMode {
        self.mode
    }

    /// Runs the TLS handshake as the server; `check_time` bounds each of its reads and writes.
    pub(super) fn accept(
        &self,
        socket: &Arc<Socket>,
        check_time: impl Fn() -> Result<(), Fault>,
    ) -> Result<Transport, Fault> {
        let config = self.config.as_ref().ok_or(rustls::Error::HandshakeNotComplete)?;
        let mut session = ServerConnection::new(Arc::clone(config))?;
        let mut stream = SocketStream(Arc::clone(socket));
        while session.is_handshaking() || session.wants_write() {
            check_time()?;
            if session.wants_write() {
                session.write_tls(&mut stream).map_err(Fault::handshake)?;
            } else if session.read_tls(&mut stream).map_err(Fault::handshake)? == 0 {
                return Err(Fault::CutOff);
            } else if let Err(error) = session.process_new_packets() {
                // The client is told why, if it still listens.
                session.write_tls(&mut stream).ok();
                return Err(error.into());
            }
        }
        let session = Arc::new(Mutex::new(session));
        let reader =
            TlsReader { session: Arc::clone(&session), stream: stream.clone(), raw: vec![0; CHUNK], new: 0..0 };
        Ok(Transport { reader: Box::new(reader), writer: Box::new(TlsWriter { session, stream, raw: Vec::new() }) })
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found = found.map_err(|error| pem(path, "certificate", error))?;
    if found.is_empty() {
        return Err(pem(path, "certificate", rustls_pki_types::pem::Error::NoItemsFound));
    }
    Ok(found)
}

fn authorities(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(path)? {
        let refused = |error: rustls::Error| TlsError::Authorities { path: path.into(), reason: error.to_string() };
        store.add(certificate).map_err(refused)?;
    }
    Ok(store)
}

fn pem(path: &Path, what: &'static str, error: rustls_pki_types::pem::Error) -> TlsError {
    TlsError::Pem { path: path.to_path_buf(), what, reason: error.to_string() }
}

fn lock(session: &Mutex<ServerConnection>) -> MutexGuard<'_, ServerConnection> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Decrypts what the client sends.
struct TlsReader {
    session: Arc<Mutex<ServerConnection>>,
    stream: SocketStream,
    raw: Vec<u8>,
    /// Bytes of `raw` that were received but not yet given to the session.
    new: std::ops::Range<usize>,
}

impl Read for TlsReader {
    /// 0 after the client closed the session; a connection that ends without that is an error, since anyone on the
    /// wire could have cut it.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.decrypted(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
                outcome => return outcome,
            }
            let received = self.stream.read(&mut self.raw)?;
            if received == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.new = 0..received;
        }
    }
}

impl TlsReader {
    /// Plaintext out of the bytes received so far; `WouldBlock` when more of them are needed.
    fn decrypted(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut session = lock(&self.session);
        loop {
            match session.reader().read(buf) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !self.new.is_empty() => (),
                outcome => return outcome,
            }
            self.new.start += session.read_tls(&mut &self.raw[self.new.clone()])?;
            session.process_new_packets().map_err(io::Error::other)?;
        }
    }
}

/// Encrypts what the server sends, and closes the session when dropped.
struct TlsWriter {
    session: Arc<Mutex<ServerConnection>>,
    stream: SocketStream,
    raw: Vec<u8>,
}

impl TlsWriter {
    /// Encrypts by `put` and sends what came of it.
    fn send(&mut self, put: impl FnOnce(&mut ServerConnection) -> io::Result<usize>) -> io::Result<usize> {
        self.raw.clear();
        let mut session = lock(&self.session);
        let taken = put(&mut session)?;
        while session.wants_write() {
            session.write_tls(&mut self.raw)?;
        }
        drop(session);
        self.stream.write_all(&self.raw)?;
        Ok(taken)
    }
}

impl Write for TlsWriter {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.send(|session| session.writer().write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send(|session| session.writer().write_vectored(bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for TlsWriter {
    fn drop(&mut self) {
        let sent = self.send(|session| {
            session.send_close_notify();
            Ok(0)
        });
        if let Err(error) = sent {
            tracing::trace!(%error, "the client was gone before TLS was closed");
        }
    }
}
