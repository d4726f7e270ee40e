//! Whom we trust and who we are: the TLS of a client that proves itself by a certificate.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// The certificate authorities of servers, and the certificate and private key of this client.
///
/// TLS 1.2 and 1.3, AEAD cipher suites only; the ring provider of rustls.
#[derive(Clone)]
pub struct TlsIdentity {
    pub(super) config: Arc<ClientConfig>,
}

/// Why certificates or a key cannot be used. None of their content is in the message.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not PEM, or not the PEM that is needed.
    #[error("there is no readable {what} in PEM: {reason}")]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// Why it was not found.
        reason: String,
    },
    /// A certificate of the CA bundle cannot serve as an authority.
    #[error("a certificate of the CA bundle cannot be used: {0}")]
    Authority(rustls::Error),
    /// Certificate and key are not accepted, or do not belong together.
    #[error("the client certificate and its key cannot be used: {0}")]
    Client(rustls::Error),
}

const AUTHORITY: &str = "CA certificate";
const CERTIFICATE: &str = "client certificate";
const KEY: &str = "private key (PKCS #8, PKCS #1 or SEC 1, not encrypted)";

impl TlsIdentity {
    /// From PEM texts: the authorities that sign servers, this client's certificate with what leads to its authority,
    /// its own first, and its private key. The caller wipes its copy of the key.
    ///
    /// # Errors
    /// When one of them is missing or cannot be used.
    pub fn from_pem(authorities: &[u8], certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let roots = roots(authorities)?;
        let chain = certificates_in(certificates, CERTIFICATE)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| pem(KEY, &error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(IdentityError::Client)?;
        let builder = builder.with_root_certificates(roots);
        let mut config = builder.with_client_auth_cert(chain, key).map_err(IdentityError::Client)?;
        // A resumed session would keep the identity of before, and show no change of certificates on either side.
        config.resumption = rustls::client::Resumption::disabled();
        Ok(Self { config: Arc::new(config) })
    }

    /// The same from files.
    ///
    /// # Errors
    /// When one of them cannot be read or used.
    pub fn from_files(authorities: &Path, certificates: &Path, key: &Path) -> Result<Self, IdentityError> {
        let read = |path: &Path| {
            let bytes = fs::read(path).map_err(|source| IdentityError::Io { path: path.into(), source })?;
            Ok::<_, IdentityError>(Zeroizing::new(bytes))
        };
        Self::from_pem(&read(authorities)?, &read(certificates)?, &read(key)?)
    }
}

fn roots(authorities: &[u8]) -> Result<RootCertStore, IdentityError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates_in(authorities, AUTHORITY)? {
        roots.add(certificate).map_err(IdentityError::Authority)?;
    }
    Ok(roots)
}

fn certificates_in(text: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let found = found.map_err(|error| pem(what, &error))?;
    if found.is_empty() {
        return Err(pem(what, &rustls_pki_types::pem::Error::NoItemsFound));
    }
    Ok(found)
}

fn pem(what: &'static str, error: &rustls_pki_types::pem::Error) -> IdentityError {
    IdentityError::Pem { what, reason: error.to_string() }
}
