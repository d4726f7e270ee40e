//! Certificates as people paste them: PEM, one after another.

use rustls_pki_types::pem::{PemObject, SectionKind};

use super::certificate::{BadCertificate, Certificate};

/// The longest text that is looked at, in bytes. It fits into one record of the store together with the rest.
pub const MAX_PEM_LEN: usize = 48 * 1024;

/// The most certificates in one text. A chain has two to four; a bundle of authorities for one key manager, a few more.
pub const MAX_CERTIFICATES: usize = 32;

/// At least one certificate. In a client's chain the first one is the client's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateChain(Vec<Certificate>);

/// Why a text holds no certificates to use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadChain {
    /// Too much text.
    #[error("{0} bytes of PEM are more than {MAX_PEM_LEN}: give only the authorities of this key server")]
    TooLong(usize),
    /// Too many certificates.
    #[error("more than {MAX_CERTIFICATES} certificates: give only the authorities of this key server")]
    TooMany,
    /// Nothing found.
    #[error("there is no certificate in it; a certificate starts with the line `-----BEGIN CERTIFICATE-----`")]
    Empty,
    /// The text is not PEM.
    #[error("it is not PEM: {0}")]
    NotPem(String),
    /// A private key was pasted where only public things belong.
    #[error("it contains a private key. It was not kept. Treat that key as known to others, and make a new key pair")]
    PrivateKey,
    /// Something else was pasted.
    #[error("it contains a {0} where only certificates belong")]
    Other(&'static str),
    /// A certificate cannot be read.
    #[error("certificate {position}: {source}")]
    Certificate {
        /// Which one, counted from 1.
        position: usize,
        /// Why.
        source: BadCertificate,
    },
}

impl CertificateChain {
    /// Reads every certificate in `pem`.
    ///
    /// # Errors
    /// When there is none, too much, or anything else than certificates.
    pub fn from_pem(pem: &str) -> Result<Self, BadChain> {
        if pem.len() > MAX_PEM_LEN {
            return Err(BadChain::TooLong(pem.len()));
        }
        let mut certificates = Vec::new();
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.as_bytes()) {
            let (kind, der) = section.map_err(|error| BadChain::NotPem(error.to_string()))?;
            only_certificates(kind)?;
            let position = certificates.len() + 1;
            if position > MAX_CERTIFICATES {
                return Err(BadChain::TooMany);
            }
            let bad = |source| BadChain::Certificate { position, source };
            certificates.push(Certificate::parse(&der).map_err(bad)?);
        }
        if certificates.is_empty() { Err(BadChain::Empty) } else { Ok(Self(certificates)) }
    }

    /// The first certificate: in a client's chain, its own.
    ///
    /// # Panics
    /// Never: a chain is made with at least one certificate.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        self.0.first().expect("from_pem refuses an empty chain")
    }

    /// All certificates, in the order of the text.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.0
    }
}

fn only_certificates(kind: SectionKind) -> Result<(), BadChain> {
    match kind {
        SectionKind::Certificate => Ok(()),
        SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => Err(BadChain::PrivateKey),
        SectionKind::Csr => Err(BadChain::Other("certificate request")),
        SectionKind::Crl => Err(BadChain::Other("revocation list")),
        _ => Err(BadChain::Other("PEM section")),
    }
}

#[cfg(test)]
mod tests;
