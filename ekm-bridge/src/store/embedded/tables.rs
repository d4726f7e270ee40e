//! The two tables of the embedded store, and the transactions over them. Knows redb, not files.

use std::path::Path;

use redb::{Database, Durability, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::store::{Change, Entry, Revision, Snapshot, StoreError, Transaction};

/// Key → revision and value.
const ENTRIES: TableDefinition<'_, &str, (u64, &[u8])> = TableDefinition::new("entries");

/// The counters [`SCHEMA`] and [`REVISION`].
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

pub(super) const SCHEMA: &str = "schema";
const REVISION: &str = "revision";

/// The schema that this release reads and writes.
pub(super) const SCHEMA_VERSION: u64 = 1;

/// Why a transaction failed, before the path is known.
#[derive(Debug)]
pub(super) enum Failure {
    Redb(redb::Error),
    Conflict { key: String, expected: Revision, found: Revision },
    OutOfStep { wanted: Revision, found: Revision },
    Schema(u64),
    NoSchema,
    RevisionsUsedUp,
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Redb(error.into())
    }
}

impl Failure {
    /// The public error, with the place where it happened.
    pub(super) fn at(self, path: &Path) -> StoreError {
        let path = path.to_owned();
        match self {
            Self::Conflict { key, expected, found } => StoreError::Conflict { key, expected, found },
            Self::OutOfStep { wanted, found } => {
                let reason = format!("its next revision is {}, not {}", found.0, wanted.0);
                StoreError::Damaged { path, reason }
            }
            Self::Schema(found) => StoreError::Schema { path, found, known: SCHEMA_VERSION },
            Self::NoSchema => StoreError::Damaged { path, reason: "it has no schema version".into() },
            Self::RevisionsUsedUp => StoreError::Damaged { path, reason: "its revision counter is at its end".into() },
            Self::Redb(error) if is_damage(&error) => StoreError::Damaged { path, reason: error.to_string() },
            Self::Redb(error) => StoreError::Unavailable { path, reason: error.to_string() },
        }
    }
}

/// Tells damage from a medium that is merely unavailable.
fn is_damage(error: &redb::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, UnexpectedEof};
    match error {
        redb::Error::Io(source) => matches!(source.kind(), InvalidData | UnexpectedEof),
        redb::Error::Corrupted(_)
        | redb::Error::UpgradeRequired(_)
        | redb::Error::RepairAborted
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TableDoesNotExist(_)
        | redb::Error::TypeDefinitionChanged { .. } => true,
        _ => false,
    }
}

/// Writes the schema version and what `snapshot` holds into a new database.
pub(super) fn initialise(database: &Database, snapshot: &Snapshot) -> Result<(), Failure> {
    let write = durable_write(database)?;
    {
        let mut entries = write.open_table(ENTRIES)?;
        for (key, entry) in &snapshot.entries {
            entries.insert(key.as_str(), (entry.revision.0, entry.value.as_slice()))?;
        }
        let mut meta = write.open_table(META)?;
        meta.insert(SCHEMA, SCHEMA_VERSION)?;
        meta.insert(REVISION, snapshot.revision.0)?;
    }
    Ok(write.commit()?)
}

/// Everything, as of one moment.
pub(super) fn snapshot(database: &Database) -> Result<Snapshot, Failure> {
    let read = database.begin_read()?;
    let revision = read.open_table(META)?.get(REVISION)?.map(|guard| guard.value()).ok_or(Failure::NoSchema)?;
    Ok(Snapshot { revision: Revision(revision), entries: list_in(&read, "")? })
}

/// One visit to an opened database: its schema is checked before `work`, and it is closed after.
pub(super) fn session<T>(database: Database, work: impl FnOnce(&Database) -> Result<T, Failure>) -> Result<T, Failure> {
    check_schema(&database)?;
    let answer = work(&database)?;
    database.close()?;
    Ok(answer)
}

/// Refuses a database of another schema, or of none.
pub(super) fn check_schema(database: &Database) -> Result<(), Failure> {
    let version = database.begin_read()?.open_table(META)?.get(SCHEMA)?.map(|guard| guard.value());
    match version {
        Some(SCHEMA_VERSION) => Ok(()),
        Some(other) => Err(Failure::Schema(other)),
        None => Err(Failure::NoSchema),
    }
}

pub(super) fn get(database: &Database, key: &str) -> Result<Option<Entry>, Failure> {
    let table = database.begin_read()?.open_table(ENTRIES)?;
    Ok(table.get(key)?.map(|guard| entry(guard.value())))
}

pub(super) fn list(database: &Database, prefix: &str) -> Result<Vec<(String, Entry)>, Failure> {
    list_in(&database.begin_read()?, prefix)
}

fn list_in(read: &ReadTransaction, prefix: &str) -> Result<Vec<(String, Entry)>, Failure> {
    let table = read.open_table(ENTRIES)?;
    let mut found = Vec::new();
    for item in table.range(prefix..)? {
        let (key, value) = item?;
        if !key.value().starts_with(prefix) {
            break;
        }
        found.push((key.value().to_owned(), entry(value.value())));
    }
    Ok(found)
}

pub(super) fn commit(database: &Database, transaction: &Transaction) -> Result<Revision, Failure> {
    commit_if(database, transaction, |_| Ok(()))
}

/// Commits if the transaction gets just this revision, so that copies which are no longer alike are noticed.
pub(super) fn commit_as(database: &Database, transaction: &Transaction, wanted: Revision) -> Result<(), Failure> {
    let check = |found| if found == wanted { Ok(()) } else { Err(Failure::OutOfStep { wanted, found }) };
    commit_if(database, transaction, check).map(drop)
}

fn commit_if(
    database: &Database,
    transaction: &Transaction,
    accept: impl FnOnce(Revision) -> Result<(), Failure>,
) -> Result<Revision, Failure> {
    let write = durable_write(database)?;
    let revision = next_revision(&write)?;
    accept(revision)?;
    check_expected(&write, transaction)?;
    apply(&write, transaction, revision)?;
    write.commit()?;
    Ok(revision)
}

fn check_expected(write: &WriteTransaction, transaction: &Transaction) -> Result<(), Failure> {
    let entries = write.open_table(ENTRIES)?;
    for (key, &expected) in transaction.expected() {
        let found = entries.get(key.as_str())?.map_or(Revision::ABSENT, |guard| Revision(guard.value().0));
        if found != expected {
            return Err(Failure::Conflict { key: key.clone(), expected, found });
        }
    }
    Ok(())
}

fn next_revision(write: &WriteTransaction) -> Result<Revision, Failure> {
    let mut meta = write.open_table(META)?;
    let last = meta.get(REVISION)?.map(|guard| guard.value()).ok_or(Failure::NoSchema)?;
    let next = last.checked_add(1).ok_or(Failure::RevisionsUsedUp)?;
    meta.insert(REVISION, next)?;
    Ok(Revision(next))
}

fn apply(write: &WriteTransaction, transaction: &Transaction, revision: Revision) -> Result<(), Failure> {
    let mut entries = write.open_table(ENTRIES)?;
    for (key, change) in transaction.changes() {
        match change {
            Change::Put(value) => drop(entries.insert(key.as_str(), (revision.0, value.as_slice()))?),
            Change::Delete => drop(entries.remove(key.as_str())?),
        }
    }
    Ok(())
}

/// A write transaction that is on the medium when its commit returns, and that a torn write cannot fake (two phases).
fn durable_write(database: &Database) -> Result<WriteTransaction, Failure> {
    let mut write = database.begin_write()?;
    write.set_durability(Durability::Immediate)?;
    write.set_two_phase_commit(true);
    Ok(write)
}

fn entry((revision, value): (u64, &[u8])) -> Entry {
    Entry { revision: Revision(revision), value: value.to_owned() }
}
