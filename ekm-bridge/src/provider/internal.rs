//! The built-in provider: master keys in the node's own store, wrapped under the node root key.

use keywrap::keys::{KeyId, MasterKey};
use keywrap::secret::Secret;
use uuid::Uuid;

use super::root_key::{RootKey, RootKeyError, RootKeySource};
use super::sealed::SealedKey;
use super::{EndAnswer, EndOutcome, ErrorKind, KeyInfo, KeyProvider, ProviderError};
use crate::state_dir::StateError;
use crate::store::{Entry, Revision, Scrubbed, Store, StoreError, Transaction};
use crate::time::UnixSeconds;

const NAME: &str = "internal";
const KEYS: &str = "provider/internal/key/";
const CURRENT: &str = "provider/internal/current";

/// Master keys in a [`Store`], wrapped with AES-256-KW (RFC 3394) under the key of a [`RootKeySource`].
pub struct InternalProvider {
    store: Box<dyn Store>,
    root: Box<dyn RootKeySource>,
}

impl InternalProvider {
    /// The provider over these two. Nothing is read or made yet; the root key is made with the first master key.
    #[must_use]
    pub fn new(store: Box<dyn Store>, root: Box<dyn RootKeySource>) -> Self {
        Self { store, root }
    }

    /// The record of `id`, if there is one.
    fn record(&self, id: KeyId) -> Result<Option<SealedKey>, ProviderError> {
        let entry = self.store.get(&record_key(id)).map_err(store_failed)?;
        entry.map(|entry| parse(id, &entry)).transpose()
    }

    fn records(&self) -> Result<Vec<(KeyId, SealedKey)>, ProviderError> {
        let entries = self.store.list(KEYS).map_err(store_failed)?;
        entries.iter().map(|(key, entry)| parse_id(key).and_then(|id| Ok((id, parse(id, entry)?)))).collect()
    }

    /// The id of the current key, `None` before first use.
    fn current_id(&self) -> Result<Option<KeyId>, ProviderError> {
        let Some(entry) = self.store.get(CURRENT).map_err(store_failed)? else { return Ok(None) };
        let text = str::from_utf8(&entry.value).ok().and_then(|text| Uuid::try_parse(text).ok());
        match text {
            Some(uuid) => Ok(Some(KeyId(uuid))),
            None => {
                Err(refused(None, format!("the record {CURRENT} is not a key id; restore the store from a backup")))
            }
        }
    }

    /// Opens a record with the root key, which must exist.
    fn open(&self, id: KeyId, record: &SealedKey) -> Result<MasterKey, ProviderError> {
        self.open_with(&self.root_for_opening()?, id, record)
    }

    fn open_with(&self, root: &RootKey, id: KeyId, record: &SealedKey) -> Result<MasterKey, ProviderError> {
        record.open(root).map_err(|_| ProviderError {
            kind: ErrorKind::NotAuthenticated,
            provider: NAME.into(),
            key_id: Some(id),
            message: format!(
                "the root key {} does not open master key {id}: it is not the root key that wrapped it, or the record \
                 was altered; restore root key and store from the same backup",
                self.root.describe()
            ),
            source: None,
        })
    }

    /// The root key for wrapping a new key: the one that opens the keys there are, or a new one if there are none.
    ///
    /// The records are listed before the key is looked for: whoever finds neither cannot have missed a pair that
    /// another process made meanwhile, because then `create` reports `Exists`.
    pub(super) fn root_for_sealing(&self) -> Result<RootKey, ProviderError> {
        let first = self.records()?.into_iter().next();
        let root = match self.root.load() {
            Err(RootKeyError::Absent(_)) if first.is_none() => self.make_root(),
            outcome => outcome,
        }
        .map_err(|error| self.no_root(error))?;
        if let Some((id, record)) = first {
            self.open_with(&root, id, &record)?;
        }
        Ok(root)
    }

    /// The root key, which must exist.
    pub(super) fn root_for_opening(&self) -> Result<RootKey, ProviderError> {
        self.root.load().map_err(|error| self.no_root(error))
    }

    fn make_root(&self) -> Result<RootKey, RootKeyError> {
        match self.root.create() {
            Err(RootKeyError::Exists(_)) => self.root.load(),
            outcome => outcome,
        }
    }

    /// A new random key called `id` and its record, not yet in the store.
    fn new_record(&self, id: KeyId) -> Result<(MasterKey, Vec<u8>), ProviderError> {
        let root = self.root_for_sealing()?;
        let no_randomness = |_| refused(None, "the operating system gave no randomness for a master key".into());
        let key = MasterKey(Secret::random().map_err(no_randomness)?);
        let record = SealedKey::seal(&root, id, UnixSeconds::now(), &key)
            .map_err(|error| refused(Some(id), format!("the new key cannot be wrapped: {error}")))?;
        Ok((key, record.to_bytes()))
    }

    /// Makes the first key and declares it current, in one transaction; somebody else's if they were faster.
    fn make_current(&self) -> Result<(KeyId, MasterKey), ProviderError> {
        let id = KeyId::random();
        let (key, record) = self.new_record(id)?;
        let transaction = Transaction::new()
            .expect(CURRENT, Revision::ABSENT)
            .put(record_key(id), record)
            .put(CURRENT, id.to_string().into_bytes());
        match self.store.commit(&transaction) {
            Ok(_) => Ok((id, key)),
            Err(StoreError::Conflict { .. }) => {
                let id = self.current_id()?.ok_or_else(|| refused(None, format!("{CURRENT} keeps changing")))?;
                Ok((id, self.key(id)?))
            }
            Err(error) => Err(store_failed(error)),
        }
    }

    /// No key is current any more: somebody else says which one is in force. No key is lost.
    ///
    /// # Errors
    /// When the store fails.
    pub fn forget_current(&self) -> Result<(), ProviderError> {
        if self.current_id()?.is_none() {
            return Ok(());
        }
        self.store.commit(&Transaction::new().delete(CURRENT)).map(drop).map_err(store_failed)
    }

    fn refuse_current(&self, id: KeyId) -> Result<(), ProviderError> {
        if self.current_id()? == Some(id) {
            return Err(refused(Some(id), format!("master key {id} is the current one of this node; it stays")));
        }
        Ok(())
    }

    fn no_root(&self, error: RootKeyError) -> ProviderError {
        let kind = match &error {
            RootKeyError::Io { .. } => ErrorKind::Unreachable,
            RootKeyError::Absent(_) | RootKeyError::Length { .. } => ErrorKind::NotAuthenticated,
            RootKeyError::NotPrivate { .. } | RootKeyError::Exists(_) | RootKeyError::NoRandomness => {
                ErrorKind::Refused
            }
        };
        let advice = match &error {
            RootKeyError::Absent(_) => "; the master keys cannot be opened without it: restore it from a backup",
            _ => "",
        };
        let message = format!("{error}{advice}");
        ProviderError { kind, provider: NAME.into(), key_id: None, message, source: Some(Box::new(error)) }
    }
}

impl KeyProvider for InternalProvider {
    fn name(&self) -> &str {
        NAME
    }

    /// The order is the id of the key.
    fn create_key_for(&self, order: Uuid) -> Result<KeyId, ProviderError> {
        let id = KeyId(order);
        if self.record(id)?.is_some() {
            return Ok(id);
        }
        let (_, record) = self.new_record(id)?;
        let key = record_key(id);
        let transaction = Transaction::new().expect(&key, Revision::ABSENT).put(&key, record);
        match self.store.commit(&transaction) {
            Ok(_) => Ok(id),
            // Somebody else made it for the same order.
            Err(StoreError::Conflict { .. }) if self.record(id)?.is_some() => Ok(id),
            Err(error) => Err(store_failed(error)),
        }
    }

    fn key(&self, id: KeyId) -> Result<MasterKey, ProviderError> {
        let absent = || ProviderError {
            kind: ErrorKind::Absent,
            provider: NAME.into(),
            key_id: Some(id),
            message: format!("there is no master key {id}; was the volume made with another state directory?"),
            source: None,
        };
        let record = self.record(id)?.ok_or_else(absent)?;
        self.open(id, &record)
    }

    fn current_key(&self) -> Result<(KeyId, MasterKey), ProviderError> {
        match self.current_id()? {
            Some(id) => Ok((id, self.key(id)?)),
            None => self.make_current(),
        }
    }

    fn list(&self) -> Result<Vec<KeyInfo>, ProviderError> {
        let info = |(id, record): (KeyId, SealedKey)| KeyInfo { id, created: record.created(), order: Some(id.0) };
        Ok(self.records()?.into_iter().map(info).collect())
    }

    fn agree_on(&self, id: KeyId) -> Result<Vec<String>, ProviderError> {
        self.key(id).map(|_| Vec::new())
    }

    /// There is nobody who could be told to give it out no more.
    fn revoke(&self, id: KeyId) -> Result<Vec<EndAnswer>, ProviderError> {
        self.refuse_current(id).map(|()| Vec::new())
    }

    /// The record goes, then every file that ever held it is overwritten. The files hold wrapped keys only: who has an old
    /// copy of one needs the root key as well.
    fn destroy(&self, id: KeyId) -> Result<Vec<EndAnswer>, ProviderError> {
        self.refuse_current(id)?;
        self.store.commit(&Transaction::new().delete(record_key(id))).map_err(store_failed)?;
        let scrubbed = self.store.scrub().map_err(store_failed)?;
        Ok(scrubbed.into_iter().map(answer).collect())
    }
}

fn answer(scrubbed: Scrubbed) -> EndAnswer {
    let outcome = match (scrubbed.failure, scrubbed.in_use) {
        (None, _) => EndOutcome::Done,
        (Some(why), true) => EndOutcome::Failed(why),
        (Some(why), false) => EndOutcome::OutOfUse(why),
    };
    EndAnswer { place: scrubbed.place, outcome }
}

fn store_failed(error: StoreError) -> ProviderError {
    let kind = match &error {
        StoreError::Unavailable { .. } | StoreError::Conflict { .. } => ErrorKind::Unreachable,
        StoreError::State(StateError::Io { .. } | StateError::Locked { .. }) => ErrorKind::Unreachable,
        _ => ErrorKind::Refused,
    };
    let message = error.to_string();
    ProviderError { kind, provider: NAME.into(), key_id: None, message, source: Some(Box::new(error)) }
}

fn record_key(id: KeyId) -> String {
    format!("{KEYS}{id}")
}

fn parse_id(key: &str) -> Result<KeyId, ProviderError> {
    let id = key.strip_prefix(KEYS).and_then(|id| Uuid::try_parse(id).ok());
    id.map(KeyId).ok_or_else(|| refused(None, format!("the record {key} is not named after a key id")))
}

fn parse(id: KeyId, entry: &Entry) -> Result<SealedKey, ProviderError> {
    SealedKey::parse(id, &entry.value)
        .map_err(|error| refused(Some(id), format!("the record of master key {id} cannot be read: {error}")))
}

pub(super) fn refused(key_id: Option<KeyId>, message: String) -> ProviderError {
    ProviderError { kind: ErrorKind::Refused, provider: NAME.into(), key_id, message, source: None }
}
