//! The server's certificate and key.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use crate::private_file::{self, NotPrivate};
use crate::state_dir::StateDir;

/// The name of the file with certificate and key in a state directory.
const FILE: &str = "api.pem";
/// A file larger than this is not ours.
const MAX_LEN: usize = 256 << 10;

/// A certificate chain, the server's own first, and its private key.
pub struct Identity {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why there is no certificate and key.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It is not PEM with a certificate or with a key.
    #[error("no {what} can be read from the PEM text: {reason}")]
    Pem {
        /// What was looked for.
        what: &'static str,
        /// Why it was not found; never any of the content.
        reason: String,
    },
    /// The two do not belong together, or are of a kind that is not supported.
    #[error("the certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    Generate(#[from] rcgen::Error),
    /// Others can read the file.
    #[error("refusing to use {path}: {reason}")]
    NotPrivate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: NotPrivate,
    },
    /// The operating system refused.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Identity {
    /// From PEM text, such as the files of an administrator's own authority. The key is not encrypted.
    ///
    /// # Errors
    /// [`IdentityError::Pem`].
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, IdentityError> {
        let pem =
            |what| move |error: rustls_pki_types::pem::Error| IdentityError::Pem { what, reason: error.to_string() };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let certificates = chain.map_err(pem("certificate"))?;
        if certificates.is_empty() {
            return Err(IdentityError::Pem { what: "certificate", reason: "there is none".into() });
        }
        Ok(Self { certificates, key: PrivateKeyDer::from_pem_slice(key).map_err(pem("private key"))? })
    }

    /// A new self-signed one for these host names and addresses (ECDSA P-256).
    ///
    /// # Errors
    /// [`IdentityError::Generate`], for a name that cannot be in a certificate above all.
    pub fn self_signed(names: &[String]) -> Result<Self, IdentityError> {
        let pem = generate(names)?;
        Self::from_pem(pem.as_bytes(), pem.as_bytes())
    }

    /// The self-signed one that is kept in a state directory, made when there is none, so that clients can pin it.
    ///
    /// # Errors
    /// When the file cannot be read, others can read it, or it holds something else.
    pub fn kept_in(dir: &StateDir, names: &[String]) -> Result<Self, IdentityError> {
        let path = dir.path().join(FILE);
        match load(&path) {
            Err(IdentityError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => create(&path, names),
            outcome => outcome,
        }
    }

    /// The server's own certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        self.certificates.first().map_or(&[], |certificate| certificate)
    }

    /// TLS 1.2 and 1.3 for HTTP/1.1, without client certificates.
    pub(super) fn acceptor(self) -> Result<TlsAcceptor, IdentityError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(self.certificates, self.key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Certificate and key as one PEM text.
fn generate(names: &[String]) -> Result<Zeroizing<String>, rcgen::Error> {
    let made = rcgen::generate_simple_self_signed(names)?;
    let key = Zeroizing::new(made.signing_key.serialize_pem());
    Ok(Zeroizing::new(made.cert.pem() + &key))
}

fn load(path: &Path) -> Result<Identity, IdentityError> {
    let failed = |doing| move |source| IdentityError::Io { doing, path: path.to_owned(), source };
    let file = private_file::open_no_follow(path).map_err(failed("open"))?;
    let meta = file.metadata().map_err(failed("open"))?;
    private_file::check_file(&meta).map_err(|reason| IdentityError::NotPrivate { path: path.to_owned(), reason })?;
    let mut text = Zeroizing::new(vec![0; MAX_LEN]);
    let len = private_file::read_limited(&file, &mut text).map_err(failed("read"))?;
    text.truncate(len);
    Identity::from_pem(&text, &text)
}

fn create(path: &Path, names: &[String]) -> Result<Identity, IdentityError> {
    let pem = generate(names)?;
    match private_file::create(path, pem.as_bytes()) {
        Ok(()) => Identity::from_pem(pem.as_bytes(), pem.as_bytes()),
        // Another process was faster; its certificate is the one to keep.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load(path),
        Err(source) => Err(IdentityError::Io { doing: "create", path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        vec!["localhost".into(), "127.0.0.1".into()]
    }

    #[test]
    fn a_kept_certificate_stays_the_same() {
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::open(&temp.path().join("state")).unwrap();
        let first = Identity::kept_in(&dir, &names()).unwrap();
        let second = Identity::kept_in(&dir, &names()).unwrap();
        assert_eq!(first.certificate(), second.certificate());
        assert!(!first.certificate().is_empty());
        assert!(second.acceptor().is_ok());
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::open(&temp.path().join("state")).unwrap();
        Identity::kept_in(&dir, &names()).unwrap();
        std::fs::set_permissions(dir.path().join(FILE), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Identity::kept_in(&dir, &names()), Err(IdentityError::NotPrivate { .. })));
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let [one, two] = [(); 2].map(|()| generate(&names()).unwrap());
        let mixed = Identity::from_pem(one.as_bytes(), two.as_bytes()).unwrap();
        assert!(matches!(mixed.acceptor(), Err(IdentityError::Unusable(_))));
        assert!(matches!(Identity::from_pem(b"", two.as_bytes()), Err(IdentityError::Pem { .. })));
        assert!(matches!(Identity::from_pem(one.as_bytes(), b""), Err(IdentityError::Pem { .. })));
    }
}
