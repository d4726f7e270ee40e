//! TLS inside a connection (`NBD_OPT_STARTTLS`): TLS 1.2 and 1.3, AEAD suites only. The handshake is rustls's, with the
//! ring provider; so are the keys and their updates. Data takes a shorter way ([`session`]).

mod open;
mod record;
mod session;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::handshake::TlsMode;
use record::RecordError;
pub(super) use session::Session;

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
    /// A running server was asked to serve with TLS instead of without, or the other way round.
    #[error("TLS is switched on and off only by a new start")]
    Mode,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsFault {
    #[error(transparent)]
    Handshake(#[from] rustls::Error),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("the client gave up (alert {0})")]
    Alert(u8),
}

/// TLS as a server offers it.
pub(super) struct Tls {
    mode: TlsMode,
    /// For the next connection.
    config: RwLock<Option<Arc<ServerConfig>>>,
}

impl Tls {
    /// No TLS.
    pub(super) const fn none() -> Self {
        Self { mode: TlsMode::None, config: RwLock::new(None) }
    }

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
        let mut server = builder.with_single_cert(certificates, key)?;
        // For the record layer.
        server.enable_secret_extraction = true;
        Ok(Self { mode, config: RwLock::new(Some(Arc::new(server))) })
    }

    pub(super) fn mode(&self) -> TlsMode {
        self.mode
    }

    /// A session at its beginning.
    ///
    /// # Errors
    /// When there is no TLS here.
    pub(super) fn session(&self) -> Result<Session, rustls::Error> {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner).clone();
        Session::new(config.ok_or(rustls::Error::HandshakeNotComplete)?)
    }

    /// Reads the files again; connections that are made from now on use what is in them.
    ///
    /// # Errors
    /// When they cannot be used, or would switch TLS on or off: then nothing has changed.
    pub(super) fn reload(&self, config: &TlsConfig) -> Result<(), TlsError> {
        let new = Self::load(config)?;
        if new.mode != self.mode {
            return Err(TlsError::Mode);
        }
        let new = new.config.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
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
