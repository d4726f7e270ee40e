//! A key server as the provider sees it: a place with keys that are named by our ids. KMIP, TLS and retries of a cut
//! connection are below this line.

use keywrap::keys::{KeyId, MasterKey};

use crate::provider::ErrorKind;
use crate::time::UnixSeconds;

/// Where a key is in its life on a server (KMIP 2.1 §11.57; destroyed and compromised counts as destroyed).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// Made, and not yet to be used.
    PreActive,
    /// In use.
    Active,
    /// No longer to be used; some servers do not give it out any more.
    Revoked,
    /// The same, because others may know it.
    Compromised,
    /// Its bytes are gone; only its name is left.
    Destroyed,
}

/// One key of ours on a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerKey {
    /// Our id of it.
    pub id: KeyId,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it came to this server, by the server's clock; `None` when the server does not tell.
    pub created: Option<UnixSeconds>,
}

/// Why a server did not do as asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct ServerError {
    /// What to match on. `Unreachable` also stands for a lost reply: the request may have been carried out.
    pub kind: ErrorKind,
    /// What happened and what to do about it, without the server's name.
    pub message: String,
    /// The failure underneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A server that keeps 256-bit AES keys under our ids. Every call may block for the server's time limits, none longer.
pub trait KeyServer: Send + Sync {
    /// The key server's number in the cluster.
    fn id(&self) -> i64;

    /// Its name, for people.
    fn name(&self) -> &str;

    /// Makes a key named `id` on the server.
    ///
    /// # Errors
    /// After any error the key may exist; look for it before trying again.
    fn create(&self, id: KeyId) -> Result<(), ServerError>;

    /// Stores a copy of a key under `id`, active.
    ///
    /// # Errors
    /// As [`Self::create`]; `Refused` when there is a key of that name already.
    fn register(&self, id: KeyId, key: &MasterKey) -> Result<(), ServerError>;

    /// The state of the key named `id`; `None` when there is none.
    ///
    /// # Errors
    /// `Refused` when more than one object answers to the name; never `Absent`.
    fn find(&self, id: KeyId) -> Result<Option<KeyState>, ServerError>;

    /// The bytes of the key named `id`.
    ///
    /// # Errors
    /// `Absent` when the server is certain that it has none, also when it was destroyed.
    fn key(&self, id: KeyId) -> Result<MasterKey, ServerError>;

    /// Makes the key active. A repeat is success.
    ///
    /// # Errors
    /// Any kind.
    fn activate(&self, id: KeyId) -> Result<(), ServerError>;

    /// Ends the key's use. A repeat is success; a key that never was active is left as it is.
    ///
    /// # Errors
    /// Any kind.
    fn revoke(&self, id: KeyId) -> Result<(), ServerError>;

    /// Deletes the key's bytes for good; the key was revoked before. A repeat is success.
    ///
    /// # Errors
    /// Any kind.
    fn destroy(&self, id: KeyId) -> Result<(), ServerError>;

    /// Every key of this cluster on the server.
    ///
    /// # Errors
    /// Any kind but `Absent`.
    fn list(&self) -> Result<Vec<ServerKey>, ServerError>;

    /// Whether connection, log-in and an ordinary request work.
    ///
    /// # Errors
    /// Any kind but `Absent`.
    fn test(&self) -> Result<(), ServerError>;
}

impl KeyState {
    /// Whether a server in this state is worth reading or copying to others.
    pub(super) fn is_alive(self) -> bool {
        matches!(self, Self::PreActive | Self::Active)
    }
}
