//! The records of one kind.

use std::marker::PhantomData;

use super::Records;
use super::id::CountedId;
use super::record::{self, Record, RecordError};

/// A view of the records of kind `T`.
pub struct Table<'a, T> {
    records: &'a Records,
    kind: PhantomData<T>,
}

impl<'a, T: Record> Table<'a, T> {
    pub(super) fn new(records: &'a Records) -> Self {
        Self { records, kind: PhantomData }
    }

    /// The record called `id`.
    ///
    /// # Errors
    /// When the store or the record cannot be read.
    pub fn get(&self, id: T::Id) -> Result<Option<T>, RecordError> {
        let key = record::key_of::<T>(id);
        self.records.store.get(&key)?.map(|entry| record::parse(&key, &entry)).transpose()
    }

    /// The record called `id`, which must exist.
    ///
    /// # Errors
    /// As [`Self::get`], and [`RecordError::Absent`].
    pub fn need(&self, id: T::Id) -> Result<T, RecordError> {
        self.get(id)?.ok_or_else(|| RecordError::absent::<T>(id))
    }

    /// All records, in the order of their ids.
    ///
    /// # Errors
    /// When the store or any record cannot be read.
    pub fn list(&self) -> Result<Vec<T>, RecordError> {
        let entries = self.records.store.list(&record::prefix_of::<T>())?;
        entries.iter().map(|(key, entry)| record::parse(key, entry)).collect()
    }

    /// The records that have `value` under the index `name`, in the order of their ids. Costs what it finds, not what
    /// there is.
    ///
    /// # Errors
    /// As [`Self::list`].
    pub fn find(&self, name: &str, value: &str) -> Result<Vec<T>, RecordError> {
        let entries = self.records.store.list(&record::index_prefix::<T>(name, value))?;
        let mut found = Vec::with_capacity(entries.len());
        for (key, _) in entries {
            // A record that was deleted or changed between the two reads is no longer one that was asked for.
            let record = self.get(record::id_in_key::<T>(&key)?)?;
            found.extend(record.filter(|record| has(record, name, value)));
        }
        Ok(found)
    }

    /// Adds a record under the next id, which `make` gets.
    ///
    /// # Errors
    /// When the store fails.
    pub fn insert(&self, mut make: impl FnMut(T::Id) -> T) -> Result<T, RecordError>
    where
        T::Id: CountedId,
    {
        self.records.transact(|work| work.insert(&mut make))
    }

    /// Changes the record called `id`, which must exist.
    ///
    /// # Errors
    /// [`RecordError::Absent`], and when the store fails.
    pub fn update(&self, id: T::Id, mut change: impl FnMut(&mut T)) -> Result<T, RecordError> {
        self.records.transact(|work| work.update(id, &mut change))
    }

    /// Adds a record under its own id, under which there is none yet.
    ///
    /// # Errors
    /// [`RecordError::Exists`], and when the store fails.
    pub fn create(&self, record: &T) -> Result<(), RecordError> {
        self.records.transact(|work| work.create(record))
    }

    /// Writes a record under its own id, whether there is one or not.
    ///
    /// # Errors
    /// When the store fails.
    pub fn put(&self, record: &T) -> Result<(), RecordError> {
        self.records.transact(|work| work.put(record))
    }

    /// Deletes the record called `id`; what it was.
    ///
    /// # Errors
    /// When the store fails.
    pub fn delete(&self, id: T::Id) -> Result<Option<T>, RecordError> {
        self.records.transact(|work| work.delete::<T>(id))
    }
}

fn has<T: Record>(record: &T, name: &str, value: &str) -> bool {
    record.index().iter().any(|(known, other)| *known == name && other == value)
}
