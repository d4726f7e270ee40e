//! How a recorded key server becomes one that can be asked.

use std::sync::Arc;
use std::time::Duration;

use keywrap::secret::SecretBytes;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::kmip_server::KmipServer;
use crate::keyserver::Access;
use crate::provider::external::{KeyServer, ServerError};
use crate::provider::{ErrorKind, InternalProvider};
use crate::records;
use crate::store::Store;
use crate::transport::{Endpoint, ServerConfig, TlsIdentity};
use crate::trust::KeyPairStore;

/// Makes key servers from their records.
pub trait Contact: Send + Sync {
    /// The server of this record, for the cluster with this UUID. Nothing is asked yet; what is wrong with the record is
    /// told by the first question.
    fn server(&self, record: &records::KeyServer, cluster: Uuid) -> Box<dyn KeyServer>;
}

/// Key servers over KMIP, reached with the cluster's own key pair.
pub struct KmipContact {
    store: Arc<dyn Store>,
    internal: Arc<InternalProvider>,
    connect: Duration,
    request: Duration,
}

impl KmipContact {
    /// The key pair is in `store`, sealed by `internal`. Five seconds to connect, fifteen for a request.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, internal: Arc<InternalProvider>) -> Self {
        Self { store, internal, connect: Duration::from_secs(5), request: Duration::from_secs(15) }
    }

    /// The same with other time limits.
    #[must_use]
    pub fn with_timeouts(self, connect: Duration, request: Duration) -> Self {
        Self { connect, request, ..self }
    }
}

impl Contact for KmipContact {
    fn server(&self, record: &records::KeyServer, cluster: Uuid) -> Box<dyn KeyServer> {
        let access = Recipe {
            store: Arc::clone(&self.store),
            internal: Arc::clone(&self.internal),
            record: record.clone(),
            timeouts: (self.connect, self.request),
        };
        Box::new(KmipServer::new(access, cluster))
    }
}

/// What it takes to reach one server.
pub(super) struct Recipe {
    store: Arc<dyn Store>,
    internal: Arc<InternalProvider>,
    pub(super) record: records::KeyServer,
    timeouts: (Duration, Duration),
}

impl Recipe {
    /// Opens the key pair and puts everything together.
    pub(super) fn access(&self) -> Result<Access, ServerError> {
        let pair = KeyPairStore::new(self.store.as_ref(), self.internal.as_ref()).load();
        let pair = pair.map_err(|error| unusable(error.to_string()))?;
        let pair =
            pair.ok_or_else(|| unusable("there is no key pair; call CreatePublicPrivateKeyPair first".into()))?;
        let (record, key) = (&self.record, pem(pair.private_key()));
        let identity =
            TlsIdentity::from_pem(record.ca_certificate.as_bytes(), record.client_certificate.as_bytes(), &key);
        let identity = identity.map_err(|error| unusable(error.to_string()))?;
        let endpoint = |host: &String| Endpoint { host: host.clone(), port: record.port };
        let mut server = ServerConfig::new(&record.name, record.hostnames.iter().map(endpoint).collect());
        (server.connect_timeout, server.request_timeout) = self.timeouts;
        Ok(Access { server, identity, credential: None, version: None })
    }
}

/// A PKCS #8 private key as PEM (RFC 7468).
fn pem(der: &SecretBytes) -> Zeroizing<Vec<u8>> {
    use base64ct::{Base64, Encoding};
    let body = Zeroizing::new(Base64::encode_string(der.expose_secret()));
    let mut pem = Zeroizing::new(Vec::with_capacity(body.len() + body.len() / 64 + 64));
    pem.extend_from_slice(b"-----BEGIN PRIVATE KEY-----\n");
    for line in body.as_bytes().chunks(64) {
        pem.extend_from_slice(line);
        pem.push(b'\n');
    }
    pem.extend_from_slice(b"-----END PRIVATE KEY-----\n");
    pem
}

/// Our side of the log-in cannot be made.
fn unusable(message: String) -> ServerError {
    ServerError { kind: ErrorKind::NotAuthenticated, message, source: None }
}
