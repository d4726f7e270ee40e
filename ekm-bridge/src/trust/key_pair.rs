//! The key pair with which this cluster proves to key servers who it is.

use std::fmt;

use keywrap::secret::SecretBytes;
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::{PemObject, SectionKind};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;
use zeroize::Zeroizing;

use super::subject::{BadSubject, Subject};

/// The kinds of key that can be used. Only P-256 is generated here; the others can be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAlgorithm {
    /// ECDSA over P-256 with SHA-256.
    EcdsaP256,
    /// ECDSA over P-384 with SHA-384.
    EcdsaP384,
    /// RSA with PKCS #1 v1.5 signatures and SHA-256, 2048 bits or more.
    Rsa,
}

/// A private key and its public half. It has no `Debug` and no `Clone`, and wipes its own copy of the key.
///
/// `ring`, which signs with it, keeps a copy of its own for as long as a signature or a TLS configuration lives and
/// does not wipe that one.
pub struct ClientKeyPair {
    algorithm: KeyAlgorithm,
    public_key: Vec<u8>,
    private_key: SecretBytes,
}

/// Why there is no key pair or no certificate request.
#[derive(Debug, thiserror::Error)]
pub enum KeyPairError {
    /// The subject cannot be written in a certificate.
    #[error(transparent)]
    Subject(#[from] BadSubject),
    /// The key could not be made.
    #[error("a new key pair cannot be made: {0}")]
    NotMade(String),
    /// No PKCS #8 private key in the text.
    #[error(
        "the text holds no unencrypted PKCS #8 private key (`-----BEGIN PRIVATE KEY-----`); convert it with \
         `openssl pkcs8 -topk8 -nocrypt`"
    )]
    NotPkcs8,
    /// A key that cannot be used.
    #[error("the private key is neither ECDSA over P-256 or P-384 nor RSA of 2048 bits or more: {0}")]
    Unsupported(String),
    /// Signing failed.
    #[error("the certificate request cannot be signed: {0}")]
    NotSigned(String),
}

impl ClientKeyPair {
    /// A new ECDSA P-256 key pair from the operating system's random generator.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate() -> Result<Self, KeyPairError> {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map(Zeroizing::new);
        let pair = pair.map_err(|error| KeyPairError::NotMade(error.to_string()))?;
        Ok(Self::of(KeyAlgorithm::EcdsaP256, &pair))
    }

    /// A key pair that was made elsewhere, as an unencrypted PKCS #8 private key in PEM. The caller wipes `pem`.
    ///
    /// # Errors
    /// When there is none, or one that cannot be used.
    pub fn import_pem(pem: &SecretBytes) -> Result<Self, KeyPairError> {
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem.expose_secret()) {
            let (kind, der) = section.map_err(|_| KeyPairError::NotPkcs8)?;
            let der = Zeroizing::new(der);
            if kind == SectionKind::PrivateKey {
                return Self::from_pkcs8(&SecretBytes::copy_from(&der));
            }
        }
        Err(KeyPairError::NotPkcs8)
    }

    /// The key pair of a PKCS #8 private key in DER (RFC 5958).
    ///
    /// # Errors
    /// When it is a key that cannot be used, or public and private half do not belong together.
    pub fn from_pkcs8(der: &SecretBytes) -> Result<Self, KeyPairError> {
        let mut reason = String::new();
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Rsa] {
            match signer(algorithm, der) {
                Ok(pair) => return Ok(Self::of(algorithm, &pair)),
                Err(error) => reason = error.to_string(),
            }
        }
        Err(KeyPairError::Unsupported(reason))
    }

    fn of(algorithm: KeyAlgorithm, pair: &KeyPair) -> Self {
        let private_key = SecretBytes::copy_from(pair.serialized_der());
        Self { algorithm, public_key: pair.subject_public_key_info(), private_key }
    }

    /// A certificate request (PKCS #10, RFC 2986) in PEM: key usage digitalSignature and keyEncipherment, critical, and
    /// extended key usage clientAuth, which key servers insist on.
    ///
    /// # Errors
    /// When the subject is not one, or the key does not sign.
    pub fn certificate_request(&self, subject: &Subject) -> Result<String, KeyPairError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = subject.distinguished_name()?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let not_signed = |error: rcgen::Error| KeyPairError::NotSigned(error.to_string());
        let pair = signer(self.algorithm, &self.private_key).map_err(not_signed)?;
        params.serialize_request(&*pair).and_then(|request| request.pem()).map_err(not_signed)
    }

    /// Which kind of key it is.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// The public half: SubjectPublicKeyInfo in DER (RFC 5280 §4.1).
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The private half: PKCS #8 in DER, as TLS wants it.
    #[must_use]
    pub fn private_key(&self) -> &SecretBytes {
        &self.private_key
    }

    /// The kind in words, with the size of an RSA key.
    #[must_use]
    pub fn describe(&self) -> String {
        match rsa_bits(&self.public_key) {
            Some(bits) => format!("RSA-{bits}"),
            None => self.algorithm.to_string(),
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256 => "ECDSA P-256",
            Self::EcdsaP384 => "ECDSA P-384",
            Self::Rsa => "RSA",
        })
    }
}

fn signer(algorithm: KeyAlgorithm, der: &SecretBytes) -> Result<Zeroizing<KeyPair>, rcgen::Error> {
    let der = PrivatePkcs8KeyDer::from(der.expose_secret());
    KeyPair::from_pkcs8_der_and_sign_algo(&der, scheme(algorithm)).map(Zeroizing::new)
}

fn scheme(algorithm: KeyAlgorithm) -> &'static SignatureAlgorithm {
    match algorithm {
        KeyAlgorithm::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
        KeyAlgorithm::EcdsaP384 => &PKCS_ECDSA_P384_SHA384,
        KeyAlgorithm::Rsa => &PKCS_RSA_SHA256,
    }
}

fn rsa_bits(public_key: &[u8]) -> Option<usize> {
    let (_, info) = SubjectPublicKeyInfo::from_der(public_key).ok()?;
    match info.parsed().ok()? {
        PublicKey::RSA(key) => Some(key.key_size()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
