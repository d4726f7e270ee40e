//! One transaction over several kinds, while it is being decided.

use std::collections::{BTreeMap, BTreeSet};

use super::id::CountedId;
use super::record::{self, Record, RecordError};
use crate::store::{Change, Entry, Revision, Store, Transaction};

/// Reads that the transaction will insist on, and changes that it will make. Reads see the changes.
pub struct Work<'a> {
    store: &'a dyn Store,
    /// What the store had under each key that was read.
    read: BTreeMap<String, Option<Entry>>,
    /// What will happen to each key.
    changes: BTreeMap<String, Change>,
}

impl<'a> Work<'a> {
    pub(super) fn new(store: &'a dyn Store) -> Self {
        Self { store, read: BTreeMap::new(), changes: BTreeMap::new() }
    }

    /// The record called `id`.
    ///
    /// # Errors
    /// When the store or the record cannot be read.
    pub fn get<T: Record>(&mut self, id: T::Id) -> Result<Option<T>, RecordError> {
        let key = record::key_of::<T>(id);
        let value = self.value(&key)?;
        value.map(|value| record::parse(&key, &Entry { revision: Revision::ABSENT, value })).transpose()
    }

    /// The record called `id`, which must exist.
    ///
    /// # Errors
    /// As [`Self::get`], and [`RecordError::Absent`].
    pub fn need<T: Record>(&mut self, id: T::Id) -> Result<T, RecordError> {
        self.get(id)?.ok_or_else(|| RecordError::absent::<T>(id))
    }

    /// All records of a kind. The transaction will insist that none was added, changed or deleted.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn list<T: Record>(&mut self) -> Result<Vec<T>, RecordError> {
        // First the key that every change of the kind changes: a list read later can only be newer.
        self.entry(&record::table_key::<T>())?;
        let prefix = record::prefix_of::<T>();
        let mut values: BTreeMap<String, Vec<u8>> =
            self.store.list(&prefix)?.into_iter().map(|(key, entry)| (key, entry.value)).collect();
        for (key, change) in self.changes.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix)) {
            match change {
                Change::Put(value) => drop(values.insert(key.clone(), value.clone())),
                Change::Delete => drop(values.remove(key)),
            }
        }
        let parse = |(key, value): (String, Vec<u8>)| record::parse(&key, &Entry { revision: Revision::ABSENT, value });
        values.into_iter().map(parse).collect()
    }

    /// The records that have `value` under the index `name`. The transaction will insist that none of its kind was added,
    /// changed or deleted.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn find<T: Record>(&mut self, name: &str, value: &str) -> Result<Vec<T>, RecordError> {
        self.entry(&record::table_key::<T>())?;
        let prefix = record::index_prefix::<T>(name, value);
        let mut keys: BTreeSet<String> = self.store.list(&prefix)?.into_iter().map(|(key, _)| key).collect();
        for (key, change) in self.changes.range(prefix.clone()..).take_while(|(key, _)| key.starts_with(&prefix)) {
            match change {
                Change::Put(_) => drop(keys.insert(key.clone())),
                Change::Delete => drop(keys.remove(key)),
            }
        }
        keys.iter().map(|key| record::id_in_key::<T>(key).and_then(|id| self.need(id))).collect()
    }

    /// Adds a record under the next id of its kind. Ids are never given out twice.
    ///
    /// # Errors
    /// When the store fails or ids are used up.
    pub fn insert<T: Record>(&mut self, make: impl FnOnce(T::Id) -> T) -> Result<T, RecordError>
    where
        T::Id: CountedId,
    {
        let next = self.last_id::<T>()?.checked_add(1).ok_or(RecordError::IdsUsedUp(T::KIND))?;
        let id = T::Id::from_number(next);
        let record = make(id);
        if record.id() != id {
            return Err(RecordError::Invalid { kind: T::KIND, reason: format!("it does not take the id {id}") });
        }
        self.put(&record)?;
        self.set(record::table_key::<T>(), next.to_string().into_bytes());
        Ok(record)
    }

    /// Changes the record called `id`, which must exist.
    ///
    /// # Errors
    /// [`RecordError::Absent`], and when the store fails.
    pub fn update<T: Record>(&mut self, id: T::Id, change: impl FnOnce(&mut T)) -> Result<T, RecordError> {
        let mut record = self.need::<T>(id)?;
        change(&mut record);
        if record.id() != id {
            return Err(RecordError::Invalid { kind: T::KIND, reason: format!("its id {id} cannot change") });
        }
        self.put(&record)?;
        Ok(record)
    }

    /// Adds a record under its own id, under which there is none yet.
    ///
    /// # Errors
    /// [`RecordError::Exists`], and when the store fails.
    pub fn create<T: Record>(&mut self, record: &T) -> Result<(), RecordError> {
        match self.get::<T>(record.id())? {
            None => self.put(record),
            Some(known) => Err(RecordError::Exists { kind: T::KIND, id: known.id().to_string() }),
        }
    }

    /// Writes a record under its own id, whether there is one or not.
    ///
    /// # Errors
    /// When the store fails.
    pub fn put<T: Record>(&mut self, record: &T) -> Result<(), RecordError> {
        let before = self.get::<T>(record.id())?;
        self.index(before.as_ref(), Some(record));
        self.set(record::key_of::<T>(record.id()), record::encode(record)?);
        self.touch::<T>()
    }

    /// Deletes the record called `id`; what it was.
    ///
    /// # Errors
    /// When the store fails.
    pub fn delete<T: Record>(&mut self, id: T::Id) -> Result<Option<T>, RecordError> {
        let Some(before) = self.get::<T>(id)? else { return Ok(None) };
        self.index(Some(&before), None);
        self.changes.insert(record::key_of::<T>(id), Change::Delete);
        self.touch::<T>()?;
        Ok(Some(before))
    }

    /// The last id that was given out for a kind, 0 before the first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn last_id<T: Record>(&mut self) -> Result<u64, RecordError> {
        let key = record::table_key::<T>();
        let Some(value) = self.value(&key)? else { return Ok(0) };
        let number = str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
        number.ok_or_else(|| record::damaged(&key, "it is not a number"))
    }

    /// The transaction; `None` when nothing changes.
    pub(super) fn into_transaction(self) -> Option<Transaction> {
        if self.changes.is_empty() {
            return None;
        }
        let mut transaction = Transaction::new();
        for (key, entry) in self.read {
            transaction = transaction.expect(key, entry.map_or(Revision::ABSENT, |entry| entry.revision));
        }
        for (key, change) in self.changes {
            transaction = match change {
                Change::Put(value) => transaction.put(key, value),
                Change::Delete => transaction.delete(key),
            };
        }
        Some(transaction)
    }

    /// Removes the index entries that no longer hold, and makes the new ones.
    fn index<T: Record>(&mut self, before: Option<&T>, after: Option<&T>) {
        let before = before.map(record::index_keys).unwrap_or_default();
        let after = after.map(record::index_keys).unwrap_or_default();
        for key in before.iter().filter(|key| !after.contains(key)) {
            self.changes.insert(key.clone(), Change::Delete);
        }
        for key in after.into_iter().filter(|key| !before.contains(key)) {
            self.set(key, Vec::new());
        }
    }

    /// Marks a kind as changed, keeping its last id.
    fn touch<T: Record>(&mut self) -> Result<(), RecordError> {
        let last = self.last_id::<T>()?;
        self.set(record::table_key::<T>(), last.to_string().into_bytes());
        Ok(())
    }

    fn set(&mut self, key: String, value: Vec<u8>) {
        self.changes.insert(key, Change::Put(value));
    }

    /// The value of `key` as it will be.
    fn value(&mut self, key: &str) -> Result<Option<Vec<u8>>, RecordError> {
        match self.changes.get(key) {
            Some(Change::Put(value)) => Ok(Some(value.clone())),
            Some(Change::Delete) => Ok(None),
            None => Ok(self.entry(key)?.map(|entry| entry.value.clone())),
        }
    }

    /// The entry of `key` as it is in the store, read once.
    fn entry(&mut self, key: &str) -> Result<Option<&Entry>, RecordError> {
        if !self.read.contains_key(key) {
            let entry = self.store.get(key)?;
            self.read.insert(key.to_owned(), entry);
        }
        Ok(self.read.get(key).and_then(Option::as_ref))
    }
}
