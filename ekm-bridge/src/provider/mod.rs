//! Key providers: whoever keeps master keys and gives them out by id.

pub mod external;
mod internal;
mod root_key;
mod seal;
mod sealed;

use std::time::Duration;

use keywrap::keys::{KeyId, MasterKey};
use uuid::Uuid;

pub use internal::InternalProvider;
pub use root_key::{RootKey, RootKeyError, RootKeyFile, RootKeySource};
pub use seal::{MAX_SEALED_LEN, Sealer};

use crate::kmip::{self, KmipError};
use crate::time::UnixSeconds;

/// What a provider tells about a key without giving it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The key's id.
    pub id: KeyId,
    /// When the provider made it.
    pub created: UnixSeconds,
    /// The order that it was made for: see [`KeyProvider::create_key_for`].
    pub order: Option<Uuid>,
}

/// What one place answered when a key was to end there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndAnswer {
    /// The key server or metadata drive, for people.
    pub place: String,
    /// What became of it.
    pub outcome: EndOutcome,
}

/// What became of a key in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndOutcome {
    /// It has ended there.
    Done,
    /// It has not, and why; ask again later.
    Failed(String),
    /// The place is no longer in use and keeps what it has; why it is out of use.
    OutOfUse(String),
}

impl EndAnswer {
    /// Whether nothing is left to do there.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !matches!(self.outcome, EndOutcome::Failed(_))
    }
}

/// A keeper of 256-bit master keys.
pub trait KeyProvider: Send + Sync {
    /// A short name for people and records, such as `internal`.
    fn name(&self) -> &str;

    /// Makes a new key, durable when this returns.
    ///
    /// # Errors
    /// Any [`ErrorKind`] but `Absent`.
    fn create_key(&self) -> Result<KeyId, ProviderError> {
        self.create_key_for(Uuid::new_v4())
    }

    /// The same for an order that the caller has made durable before: whoever ended in the middle finds what became of it
    /// by the order, and by nothing else. A clock may have been set since, and keys of others may have come. A repeat gives
    /// the same key.
    ///
    /// # Errors
    /// As [`Self::create_key`].
    fn create_key_for(&self, order: Uuid) -> Result<KeyId, ProviderError>;

    /// The key called `id`.
    ///
    /// # Errors
    /// `Absent` only when the provider is certain that it has no such key; a caller may then give up for good, after
    /// any other error it may not.
    fn key(&self, id: KeyId) -> Result<MasterKey, ProviderError>;

    /// The same for whoever asks again soon: what does not answer within `patience` is not waited for. Its answer is not
    /// lost; a later call finds it.
    ///
    /// # Errors
    /// As [`Self::key`]; `Unreachable` also when there is no answer yet.
    fn key_within(&self, id: KeyId, patience: Duration) -> Result<MasterKey, ProviderError> {
        let _whoever_is_here_answers_at_once = patience;
        self.key(id)
    }

    /// The key that new volumes use. It is made on first use and then stays the same until a rekey changes it.
    ///
    /// # Errors
    /// Any [`ErrorKind`].
    fn current_key(&self) -> Result<(KeyId, MasterKey), ProviderError>;

    /// All keys, in the order of their ids.
    ///
    /// # Errors
    /// Any [`ErrorKind`] but `Absent`.
    fn list(&self) -> Result<Vec<KeyInfo>, ProviderError>;

    /// The names of all places that should hold the key, each of which has just given it out.
    ///
    /// # Errors
    /// When any did not; each is named.
    fn agree_on(&self, id: KeyId) -> Result<Vec<String>, ProviderError>;

    /// Has every place give out the key no more. The caller knows that nothing depends on it: only the ledger of old keys
    /// calls this. A repeat is success. Every answer is told; repeat it until each is done.
    ///
    /// # Errors
    /// `Refused` for the current key, and any other [`ErrorKind`] when nobody was asked.
    fn revoke(&self, id: KeyId) -> Result<Vec<EndAnswer>, ProviderError>;

    /// Has every place destroy the key, and forgets it once each has done so. It cannot be brought back, and neither can
    /// data that depends on it. Otherwise as [`Self::revoke`], which comes before it.
    ///
    /// # Errors
    /// As [`Self::revoke`].
    fn destroy(&self, id: KeyId) -> Result<Vec<EndAnswer>, ProviderError>;
}

/// The kinds of failure a caller tells apart. They stay the same across providers and releases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The provider works, and has no such key.
    Absent,
    /// The provider works, knows who asks, and says no; or what it holds is damaged. Asking again will not help.
    Refused,
    /// The provider did not answer. The same request may succeed later.
    Unreachable,
    /// The provider does not accept the caller's credentials; for the internal provider that is the root key.
    NotAuthenticated,
}

impl From<kmip::ErrorKind> for ErrorKind {
    /// A lost reply is as if there had been no answer, because whoever asks again searches first. Answers that cannot
    /// be understood, and keys that cannot be told apart, are for a person to look at.
    fn from(kind: kmip::ErrorKind) -> Self {
        use kmip::ErrorKind as K;
        match kind {
            K::Absent => Self::Absent,
            K::Refused | K::Malformed | K::Ambiguous => Self::Refused,
            K::Unreachable | K::ReplyLost => Self::Unreachable,
            K::NotAuthenticated => Self::NotAuthenticated,
        }
    }
}

/// Why a provider gave no key.
#[derive(Debug, thiserror::Error)]
#[error("key provider {provider}: {message}")]
pub struct ProviderError {
    /// What to match on.
    pub kind: ErrorKind,
    /// The provider's name.
    pub provider: String,
    /// The key asked for, when it was one.
    pub key_id: Option<KeyId>,
    /// What happened and what to do about it.
    pub message: String,
    /// The failure underneath. `message` already contains its text.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ProviderError {
    /// The failure of one key server, as the failure of the provider that asked it.
    #[must_use]
    pub fn of_key_server(provider: &str, key_id: Option<KeyId>, error: KmipError) -> Self {
        let kind = error.kind.into();
        Self { kind, provider: provider.into(), key_id, message: error.to_string(), source: Some(Box::new(error)) }
    }
}
