//! What a cluster remembers, as typed records in a [`Store`]: one file per kind, JSON under `<kind>/<id>`.
//!
//! ```text
//! Records ── table::<T>() ──▶ Table<T>     one kind: get, list, find, insert, update, delete
//!    │
//!    └───── transact(|work| …) ──▶ Work    several kinds in one transaction, decided again when somebody was faster
//! ```
//!
//! Pages: `docs/registry.md` (kinds, keys, rules).

pub mod async_results;
pub mod clock_mark;
pub mod cluster;
pub mod drive_report;
pub mod drives;
pub mod events;
pub mod faults;
pub mod headers;
mod id;
pub mod key_lives;
pub mod key_management;
pub mod key_providers;
pub mod key_servers;
pub mod master_keys;
mod record;
pub mod registry;
pub mod rekey;
mod table;
#[cfg(test)]
mod table_tests;
pub mod volume_totals;
pub mod volumes;
mod work;

use std::sync::{Arc, Mutex, PoisonError};

pub use async_results::{AsyncHandle, AsyncResult, AsyncResults, AsyncState};
pub use clock_mark::ClockMark;
pub use cluster::{ApiUser, Cluster, PasswordHash, SoftwareEncryption};
pub use drives::{Drive, DriveKind, DriveNumber, DriveStatus};
pub use events::{Event, EventId, EventLog, EventQuery, NewEvent};
pub use faults::{Fault, FaultId, Faults, NewFault, Severity};
pub use headers::{Header, Place};
pub use id::{CountedId, Only, RecordId};
pub use key_lives::KeyLife;
pub use key_management::{KeyManagement, KeyManagementError};
pub use key_providers::{KeyProviderId, KeyProviderRecord};
pub use key_servers::{KeyServer, KeyServerId};
pub use master_keys::{Management, MasterKeyRecord, MasterKeyState};
pub use record::{Record, RecordError};
pub use registry::VolumeRecord;
pub use rekey::{Rekey, RekeyPhase};
pub use table::Table;
pub use volume_totals::VolumeTotals;
pub use volumes::{Access, Qos, Site, Volume, VolumeId, VolumeStatus};
pub use work::Work;

use crate::store::{Store, StoreError};

/// Times that a transaction is tried against writers in other processes. Each loss means that somebody else succeeded.
const ATTEMPTS: usize = 16;

/// All records of a store.
#[derive(Clone)]
pub struct Records {
    store: Arc<dyn Store>,
    /// Threads of this process take turns, so that they never lose against each other.
    turn: Arc<Mutex<()>>,
}

impl Records {
    /// The records kept in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, turn: Arc::default() }
    }

    /// The store underneath.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The records of one kind.
    #[must_use]
    pub fn table<T: Record>(&self) -> Table<'_, T> {
        Table::new(self)
    }

    /// Reads and decides in `decide`, then changes everything it asked for in one transaction. If anything it read was
    /// changed meanwhile, it is asked again; so it must have no effects but on its [`Work`].
    ///
    /// # Errors
    /// Whatever `decide` says, in which case nothing is changed; [`RecordError::Contended`] after many attempts.
    pub fn transact<R, E: From<RecordError>>(
        &self,
        mut decide: impl FnMut(&mut Work<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        // Nothing is behind this lock that a panic could leave half done.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..ATTEMPTS {
            let mut work = Work::new(self.store.as_ref());
            let answer = decide(&mut work)?;
            let Some(transaction) = work.into_transaction() else { return Ok(answer) };
            match self.store.commit(&transaction) {
                Ok(_) => return Ok(answer),
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(RecordError::from(error).into()),
            }
        }
        Err(RecordError::Contended.into())
    }
}
