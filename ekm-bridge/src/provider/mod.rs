//! Key providers: whoever keeps master keys and gives them out by id.

pub mod external;
mod internal;
mod root_key;
mod seal;
mod sealed;

use std::time::Duration;

use keywrap::keys::{KeyId, MasterKey};

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
}

/// A keeper of 256-bit master keys. Destroying keys joins this trait together with the ledger that permits it.
pub trait KeyProvider: Send + Sync {
    /// A short name for people and records, such as `internal`.
    fn name(&self) -> &str;

    /// Makes a new key, durable when this returns.
    ///
    /// # Errors
    /// Any [`ErrorKind`] but `Absent`.
    fn create_key(&self) -> Result<KeyId, ProviderError>;

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
