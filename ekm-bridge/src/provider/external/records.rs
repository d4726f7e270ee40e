//! What the provider must not forget: which keys it has, which one is current, and which it was about to make.
//!
//! | key in the store | value (JSON) |
//! |---|---|
//! | `external/<provider>/intent/<uuid>` | a key that is being made, or whose making failed: `made`, `condemned`, `order` |
//! | `external/<provider>/key/<uuid>` | a key that the provider has: `created`, `check`, `retired`, `destroyed`, `order` |
//! | `external/<provider>/current` | the UUID of the key that new volumes use |
//!
//! An intent is durable before a server is asked to make the key, and it goes in the transaction in which the key
//! becomes known, or when every server says that no such key is there. So no key is ever on a server unknown to us.

use keywrap::keys::{KeyId, MasterKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::provider::KeyInfo;
use crate::store::{Entry, Revision, Store, StoreError, Transaction};
use crate::time::UnixSeconds;

/// A key that the provider has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyRecord {
    pub(super) created: UnixSeconds,
    /// Tells whether bytes are this key's, and nothing about them: see [`check`].
    pub(super) check: String,
    /// It is on its way to destruction: no server gets it any more.
    pub(super) retired: bool,
    /// It was destroyed on every server. The record stays: a server that left with a copy may come back.
    #[serde(default)]
    pub(super) destroyed: bool,
    /// What it was made for, if it was made here for something.
    #[serde(default)]
    pub(super) order: Option<Uuid>,
}

/// A key that may lie on servers without being known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Intent {
    pub(super) made: UnixSeconds,
    /// Somebody began to destroy it: it can no longer become known.
    pub(super) condemned: bool,
    /// What it is made for.
    #[serde(default)]
    pub(super) order: Option<Uuid>,
}

/// An intent together with the revision that the next change of it insists on.
pub(super) struct Held {
    pub(super) id: KeyId,
    pub(super) intent: Intent,
    revision: Revision,
}

/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the record {0} cannot be read; restore the store from a backup")]
    Damaged(String),
}

/// The records of one provider.
pub(super) struct Records {
    store: Box<dyn Store>,
    prefix: String,
}

impl Records {
    pub(super) fn new(store: Box<dyn Store>, provider: i64) -> Self {
        Self { store, prefix: format!("external/{provider}/") }
    }

    /// Makes it durable that a key of this id may come to be, and for what.
    pub(super) fn intend(&self, id: KeyId, made: UnixSeconds, order: Option<Uuid>) -> Result<Held, RecordError> {
        let (key, intent) = (self.intent_key(id), Intent { made, condemned: false, order });
        let transaction = Transaction::new().expect(&key, Revision::ABSENT).put(&key, json(&key, &intent)?);
        let revision = self.store.commit(&transaction)?;
        Ok(Held { id, intent, revision })
    }

    /// Every intent there is.
    pub(super) fn intents(&self) -> Result<Vec<Held>, RecordError> {
        let prefix = format!("{}intent/", self.prefix);
        let held = |(key, entry): (String, Entry)| {
            Ok(Held { id: id_of(&key, &prefix)?, intent: parse(&key, &entry)?, revision: entry.revision })
        };
        self.store.list(&prefix)?.into_iter().map(held).collect()
    }

    /// The key has become known; as the current one, if there was none before.
    pub(super) fn adopt(&self, held: &Held, key: &MasterKey, as_current: bool) -> Result<(), RecordError> {
        let (intent, name) = (self.intent_key(held.id), self.key_key(held.id));
        let (created, order) = (held.intent.made, held.intent.order);
        let record = KeyRecord { created, check: check(held.id, key), retired: false, destroyed: false, order };
        let transaction = Transaction::new().expect(&intent, held.revision).delete(&intent);
        let transaction = transaction.put(&name, json(&name, &record)?);
        let transaction = if as_current { self.first_current(transaction, held.id) } else { transaction };
        match self.store.commit(&transaction) {
            Ok(_) => Ok(()),
            // It may have happened: what is there counts.
            Err(error) if !matches!(error, StoreError::Conflict { .. }) && self.is_known(held.id) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn first_current(&self, transaction: Transaction, id: KeyId) -> Transaction {
        let current = self.current_key();
        transaction.expect(&current, Revision::ABSENT).put(current, id.to_string().into_bytes())
    }

    fn is_known(&self, id: KeyId) -> bool {
        matches!(self.key(id), Ok(Some(_)))
    }

    /// Nobody may adopt this key any more. `None` when somebody was faster.
    pub(super) fn condemn(&self, held: Held) -> Result<Option<Held>, RecordError> {
        if held.intent.condemned {
            return Ok(Some(held));
        }
        let key = self.intent_key(held.id);
        let intent = Intent { condemned: true, ..held.intent };
        let transaction = Transaction::new().expect(&key, held.revision).put(&key, json(&key, &intent)?);
        match self.store.commit(&transaction) {
            Ok(revision) => Ok(Some(Held { id: held.id, intent, revision })),
            Err(StoreError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// No server has such a key: the intent is done with.
    pub(super) fn drop_intent(&self, held: &Held) -> Result<(), RecordError> {
        let key = self.intent_key(held.id);
        self.store.commit(&Transaction::new().expect(&key, held.revision).delete(&key))?;
        Ok(())
    }

    /// Records a key that was found on a server, if it is not known.
    pub(super) fn learn(&self, id: KeyId, key: &MasterKey, created: UnixSeconds) -> Result<(), RecordError> {
        let name = self.key_key(id);
        if self.store.get(&name)?.is_none() {
            let record = KeyRecord { created, check: check(id, key), retired: false, destroyed: false, order: None };
            let record = json(&name, &record)?;
            self.store.commit(&Transaction::new().expect(&name, Revision::ABSENT).put(&name, record))?;
        }
        Ok(())
    }

    /// Marks a key, if it is known, as one that no server is given any more.
    pub(super) fn retire(&self, id: KeyId) -> Result<(), RecordError> {
        self.change(id, |record| record.retired = true)
    }

    /// A key is destroyed everywhere. It is remembered as such, so that no copy of it is ever taken for a key again.
    pub(super) fn bury(&self, id: KeyId) -> Result<(), RecordError> {
        self.change(id, |record| (record.retired, record.destroyed) = (true, true))
    }

    fn change(&self, id: KeyId, change: impl FnOnce(&mut KeyRecord)) -> Result<(), RecordError> {
        let name = self.key_key(id);
        let Some(entry) = self.store.get(&name)? else { return Ok(()) };
        let mut record: KeyRecord = parse(&name, &entry)?;
        change(&mut record);
        self.store.commit(&Transaction::new().expect(&name, entry.revision).put(&name, json(&name, &record)?))?;
        Ok(())
    }

    /// The keys that every server should have.
    pub(super) fn wanted(&self) -> Result<Vec<KeyId>, RecordError> {
        Ok(self.all()?.into_iter().filter(|(_, record)| !record.retired).map(|(id, _)| id).collect())
    }

    /// The record of a key.
    pub(super) fn key(&self, id: KeyId) -> Result<Option<KeyRecord>, RecordError> {
        let name = self.key_key(id);
        self.store.get(&name)?.map(|entry| parse(&name, &entry)).transpose()
    }

    /// All keys that are not destroyed, in the order of their ids.
    pub(super) fn keys(&self) -> Result<Vec<KeyInfo>, RecordError> {
        let info = |(id, record): (KeyId, KeyRecord)| KeyInfo { id, created: record.created, order: record.order };
        Ok(self.all()?.into_iter().filter(|(_, record)| !record.destroyed).map(info).collect())
    }

    fn all(&self) -> Result<Vec<(KeyId, KeyRecord)>, RecordError> {
        let prefix = format!("{}key/", self.prefix);
        let record = |(key, entry): (String, Entry)| Ok((id_of(&key, &prefix)?, parse(&key, &entry)?));
        self.store.list(&prefix)?.into_iter().map(record).collect()
    }

    /// The current key, if one was ever made.
    pub(super) fn current(&self) -> Result<Option<KeyId>, RecordError> {
        let key = self.current_key();
        let Some(entry) = self.store.get(&key)? else { return Ok(None) };
        let text = str::from_utf8(&entry.value).ok().and_then(|text| Uuid::try_parse(text).ok());
        text.map(|uuid| Some(KeyId(uuid))).ok_or(RecordError::Damaged(key))
    }

    /// Makes a known key the current one.
    pub(super) fn set_current(&self, id: KeyId) -> Result<(), RecordError> {
        self.store.commit(&Transaction::new().put(self.current_key(), id.to_string().into_bytes()))?;
        Ok(())
    }

    fn intent_key(&self, id: KeyId) -> String {
        format!("{}intent/{id}", self.prefix)
    }

    fn key_key(&self, id: KeyId) -> String {
        format!("{}key/{id}", self.prefix)
    }

    fn current_key(&self) -> String {
        format!("{}current", self.prefix)
    }
}

/// Eight bytes of SHA-256(label ‖ id ‖ key) in hexadecimal. The key has 256 random bits, so its hash gives nothing away;
/// it tells a server that holds other bytes under this id from one that holds the key.
pub(super) fn check(id: KeyId, key: &MasterKey) -> String {
    let hash = Sha256::new().chain_update("sear/1/key-check").chain_update(id.0.as_bytes());
    let hash = hash.chain_update(key.0.expose_secret()).finalize();
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn json(key: &str, value: &impl Serialize) -> Result<Vec<u8>, RecordError> {
    serde_json::to_vec(value).map_err(|_| RecordError::Damaged(key.to_owned()))
}

fn parse<T: DeserializeOwned>(key: &str, entry: &Entry) -> Result<T, RecordError> {
    serde_json::from_slice(&entry.value).map_err(|_| RecordError::Damaged(key.to_owned()))
}

fn id_of(key: &str, prefix: &str) -> Result<KeyId, RecordError> {
    let id = key.strip_prefix(prefix).and_then(|id| Uuid::try_parse(id).ok());
    id.map(KeyId).ok_or_else(|| RecordError::Damaged(key.to_owned()))
}
