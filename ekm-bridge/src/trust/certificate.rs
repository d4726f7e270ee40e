//! One certificate, read once: what is asked of it is a field here.

use std::fmt;

use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::time::UnixSeconds;

/// Whether a certificate may be used to log in somewhere (extended key usage, RFC 5280 §4.2.1.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// clientAuth is named.
    Named,
    /// Any purpose, said so (anyExtendedKeyUsage).
    Any,
    /// No such extension: allowed for everything, but many key servers refuse it.
    Unrestricted,
    /// Other purposes only.
    Forbidden,
}

/// A certificate (X.509 version 3, RFC 5280), parsed. It is public; nothing here is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    subject: String,
    issuer: String,
    subject_der: Vec<u8>,
    issuer_der: Vec<u8>,
    not_before: UnixSeconds,
    not_after: UnixSeconds,
    public_key: Vec<u8>,
    is_authority: bool,
    may_sign: bool,
    client_auth: ClientAuth,
}

/// Bytes that are not a certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be read as an X.509 certificate: {0}")]
pub struct BadCertificate(String);

impl Certificate {
    /// Parses one certificate in DER.
    ///
    /// # Errors
    /// When it is malformed, has trailing bytes, or an extension that is asked about here cannot be read.
    pub fn parse(der: &[u8]) -> Result<Self, BadCertificate> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|error| BadCertificate(error.to_string()))?;
        if !rest.is_empty() {
            return Err(BadCertificate(format!("{} bytes follow it", rest.len())));
        }
        let bad = |error: x509_parser::error::X509Error| BadCertificate(error.to_string());
        Ok(Self {
            der: der.to_vec(),
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            subject_der: parsed.subject().as_raw().to_vec(),
            issuer_der: parsed.issuer().as_raw().to_vec(),
            not_before: seconds(parsed.validity().not_before),
            not_after: seconds(parsed.validity().not_after),
            public_key: parsed.public_key().raw.to_vec(),
            is_authority: parsed.basic_constraints().map_err(bad)?.is_some_and(|basic| basic.value.ca),
            may_sign: may_sign(&parsed).map_err(bad)?,
            client_auth: client_auth(&parsed).map_err(bad)?,
        })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whose it is.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Who signed it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// First second of its validity; a time before 1970 reads as 0.
    #[must_use]
    pub fn not_before(&self) -> UnixSeconds {
        self.not_before
    }

    /// Last second of its validity.
    #[must_use]
    pub fn not_after(&self) -> UnixSeconds {
        self.not_after
    }

    /// Its public key: SubjectPublicKeyInfo in DER.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Whether it says that it is an authority and may sign certificates (basicConstraints and keyUsage).
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.is_authority && self.may_sign
    }

    /// Whether it may be used to log in.
    #[must_use]
    pub fn client_auth(&self) -> ClientAuth {
        self.client_auth
    }

    /// Whether `authority` issued it: the names fit and the signature is right.
    #[must_use]
    pub fn is_signed_by(&self, authority: &Self) -> bool {
        if self.issuer_der != authority.subject_der {
            return false;
        }
        let key = X509Certificate::from_der(&authority.der).map(|(_, parsed)| parsed);
        let own = X509Certificate::from_der(&self.der).map(|(_, parsed)| parsed);
        match (own, key) {
            (Ok(own), Ok(authority)) => own.verify_signature(Some(authority.public_key())).is_ok(),
            _ => false,
        }
    }

    /// SHA-256 over the DER, the fingerprint that other tools show.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }

    /// The first eight bytes of the fingerprint in hexadecimal: enough to tell certificates apart in a message.
    #[must_use]
    pub fn short_fingerprint(&self) -> String {
        self.fingerprint().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({} {})", self.subject, self.short_fingerprint())
    }
}

fn seconds(time: ASN1Time) -> UnixSeconds {
    UnixSeconds(u64::try_from(time.timestamp()).unwrap_or(0))
}

/// keyCertSign, or no keyUsage at all (RFC 5280 §4.2.1.3 asks authorities for it, and old ones lack it).
fn may_sign(certificate: &X509Certificate<'_>) -> Result<bool, x509_parser::error::X509Error> {
    Ok(certificate.key_usage()?.is_none_or(|usage| usage.value.key_cert_sign()))
}

fn client_auth(certificate: &X509Certificate<'_>) -> Result<ClientAuth, x509_parser::error::X509Error> {
    Ok(match certificate.extended_key_usage()? {
        None => ClientAuth::Unrestricted,
        Some(usage) if usage.value.client_auth => ClientAuth::Named,
        Some(usage) if usage.value.any => ClientAuth::Any,
        Some(_) => ClientAuth::Forbidden,
    })
}
