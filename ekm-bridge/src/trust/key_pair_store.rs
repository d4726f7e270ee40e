//! Where the key pair is kept: one record in the store, the private key in it sealed under the root key.

use base64ct::{Base64, Encoding};
use keywrap::secret::SecretBytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::key_pair::{ClientKeyPair, KeyAlgorithm, KeyPairError};
use super::subject::Subject;
use crate::provider::{ProviderError, Sealer};
use crate::store::{Store, StoreError, Transaction};
use crate::time::UnixSeconds;

const KEY: &str = "trust/client-key-pair";
const VERSION: u32 = 1;

/// The record, as JSON under `trust/client-key-pair`. `docs/format/client-key-pair.md` describes it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u32,
    algorithm: KeyAlgorithm,
    created: UnixSeconds,
    subject: Subject,
    public_key: String,
    request: String,
    sealed: String,
}

/// What is known of the key pair without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPairInfo {
    /// Which kind of key.
    pub algorithm: KeyAlgorithm,
    /// When it was put here.
    pub created: UnixSeconds,
    /// The name it asks for.
    pub subject: Subject,
    /// SubjectPublicKeyInfo in DER: compare with a certificate's.
    pub public_key: Vec<u8>,
    /// The certificate request in PEM, the same at every reading.
    pub request: String,
}

/// Why there is no key pair to use.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key or its subject cannot be used.
    #[error(transparent)]
    KeyPair(#[from] KeyPairError),
    /// The root key does not seal or open.
    #[error(transparent)]
    Seal(#[from] ProviderError),
    /// The record is not what this release writes.
    #[error("the client key pair in the store cannot be read: {0}; restore the store, or make a new key pair")]
    Damaged(String),
}

/// The one key pair of the cluster.
#[derive(Clone, Copy)]
pub struct KeyPairStore<'a> {
    store: &'a dyn Store,
    sealer: &'a dyn Sealer,
}

impl<'a> KeyPairStore<'a> {
    /// The key pair kept in `store`, sealed by `sealer`.
    #[must_use]
    pub fn new(store: &'a dyn Store, sealer: &'a dyn Sealer) -> Self {
        Self { store, sealer }
    }

    /// Makes a new key pair for `subject`, durable when this returns. It takes the place of the one before, whose
    /// private key is gone for good: the caller makes sure that no key server is reached with it any more.
    ///
    /// # Errors
    /// When it cannot be made, sealed or stored; the one before then stays, unless the store cannot tell.
    pub fn create(&self, subject: &Subject, now: UnixSeconds) -> Result<KeyPairInfo, TrustError> {
        self.put(&ClientKeyPair::generate()?, subject, now)
    }

    /// As [`Self::create`], with a key pair made elsewhere.
    ///
    /// # Errors
    /// As [`Self::create`].
    pub fn put(&self, pair: &ClientKeyPair, subject: &Subject, now: UnixSeconds) -> Result<KeyPairInfo, TrustError> {
        let request = pair.certificate_request(subject)?;
        let sealed = self.sealer.seal(&purpose(pair.public_key()), pair.private_key())?;
        let record = Record {
            version: VERSION,
            algorithm: pair.algorithm(),
            created: now,
            subject: subject.clone(),
            public_key: Base64::encode_string(pair.public_key()),
            request,
            sealed: Base64::encode_string(&sealed),
        };
        let bytes = serde_json::to_vec(&record).map_err(|error| TrustError::Damaged(error.to_string()))?;
        self.store.commit(&Transaction::new().put(KEY, bytes))?;
        record.info()
    }

    /// What is known of the key pair; `None` when none was ever made.
    ///
    /// # Errors
    /// When the store or the record cannot be read.
    pub fn info(&self) -> Result<Option<KeyPairInfo>, TrustError> {
        self.record()?.map(|record| record.info()).transpose()
    }

    /// The key pair itself; `None` when none was ever made.
    ///
    /// # Errors
    /// When it cannot be read, or the root key does not open it.
    pub fn load(&self) -> Result<Option<ClientKeyPair>, TrustError> {
        let Some(record) = self.record()? else { return Ok(None) };
        let public_key = decode(&record.public_key)?;
        let private_key: SecretBytes = self.sealer.unseal(&purpose(&public_key), &decode(&record.sealed)?)?;
        let pair = ClientKeyPair::from_pkcs8(&private_key)?;
        if pair.public_key() != public_key {
            return Err(TrustError::Damaged("private and public key do not belong together".into()));
        }
        Ok(Some(pair))
    }

    fn record(&self) -> Result<Option<Record>, TrustError> {
        let Some(entry) = self.store.get(KEY)? else { return Ok(None) };
        let record: Record =
            serde_json::from_slice(&entry.value).map_err(|error| TrustError::Damaged(error.to_string()))?;
        match record.version {
            VERSION => Ok(Some(record)),
            other => Err(TrustError::Damaged(format!("its version is {other}, and this release knows {VERSION}"))),
        }
    }
}

impl Record {
    fn info(self) -> Result<KeyPairInfo, TrustError> {
        let public_key = decode(&self.public_key)?;
        let Self { algorithm, created, subject, request, .. } = self;
        Ok(KeyPairInfo { algorithm, created, subject, public_key, request })
    }
}

/// What the private key is sealed for: it opens only in a record with the same public key.
fn purpose(public_key: &[u8]) -> String {
    format!("sear/1/client-key {}", Base64::encode_string(&Sha256::digest(public_key)))
}

fn decode(text: &str) -> Result<Vec<u8>, TrustError> {
    Base64::decode_vec(text).map_err(|_| TrustError::Damaged("a field is not base64".into()))
}

#[cfg(test)]
mod tests;
