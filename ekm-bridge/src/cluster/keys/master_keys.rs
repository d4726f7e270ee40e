//! Getting master keys from whoever manages them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keywrap::keys::{KeyId, MasterKey};
use uuid::Uuid;

use crate::cluster::control::ClusterControl;
use crate::cluster::errors::{of_provider, of_record};
use crate::cluster::host::WrappingKey;
use crate::provider::KeyProvider;
use crate::records::{Management, MasterKeyRecord, MasterKeyState};
use crate::rpc::control::Outcome;
use crate::rpc::{ApiError, ErrorName};

/// A master key in memory, wiped when it goes.
pub(in crate::cluster) struct Owned {
    pub(in crate::cluster) id: KeyId,
    key: MasterKey,
}

impl Owned {
    pub(in crate::cluster) fn wrapping(&self) -> WrappingKey<'_> {
        WrappingKey { id: self.id, key: &self.key }
    }
}

impl ClusterControl {
    /// Whoever manages keys in this way.
    pub(in crate::cluster) fn manager(&self, management: Management) -> Outcome<Arc<dyn KeyProvider>> {
        match management {
            Management::Internal => Ok(Arc::clone(&self.internal) as Arc<dyn KeyProvider>),
            Management::External(provider) => Ok(self.provider(provider)?),
        }
    }

    /// The ledger's record of a key.
    pub(in crate::cluster) fn key_record(&self, id: KeyId) -> Outcome<MasterKeyRecord> {
        let unknown = || {
            let message = format!("master key {id} is not in the ledger; was the volume made by another cluster?");
            ApiError::new(ErrorName::KeyUnavailable, message)
        };
        self.records.table().get(id).map_err(of_record)?.ok_or_else(unknown)
    }

    /// The key, from its manager.
    pub(in crate::cluster) fn master_key(&self, id: KeyId) -> Outcome<Owned> {
        let key = self.manager_of(id)?.key(id).map_err(of_provider)?;
        Ok(Owned { id, key })
    }

    /// Who manages a key that is not destroyed.
    fn manager_of(&self, id: KeyId) -> Outcome<Arc<dyn KeyProvider>> {
        let record = self.key_record(id)?;
        if record.state == MasterKeyState::Destroyed {
            return Err(self.destroyed(id)?);
        }
        self.manager(record.management)
    }

    /// The same for whoever tries again soon: a key server that does not answer within `patience` is not waited for.
    pub(in crate::cluster) fn master_key_within(&self, id: KeyId, patience: Duration) -> Outcome<Owned> {
        let key = self.manager_of(id)?.key_within(id, patience).map_err(of_provider)?;
        Ok(Owned { id, key })
    }

    /// The key in force. The caller holds `in_force`.
    pub(in crate::cluster) fn key_in_force(&self) -> Outcome<Owned> {
        let off = || {
            let message = "software encryption at rest was not switched on when the cluster was created; this system has \
                           no volumes without it";
            ApiError::new(ErrorName::SoftwareEncryptionNotEnabled, message)
        };
        self.master_key(self.need_cluster()?.encryption.master_key.ok_or_else(off)?)
    }

    /// The key of this order: the one that a process made which ended before it could record it, or a new one.
    pub(in crate::cluster) fn make_key(&self, management: Management, order: Option<Uuid>) -> Outcome<MasterKeyRecord> {
        let id = self.manager(management)?.create_key_for(order.unwrap_or_else(Uuid::new_v4));
        Ok(self.new_record(id.map_err(of_provider)?, management))
    }

    /// The key of this order if it was made already.
    pub(in crate::cluster) fn made_key(
        &self,
        management: Management,
        order: Option<Uuid>,
    ) -> Outcome<Option<MasterKeyRecord>> {
        let listed = self.manager(management)?.list().map_err(of_provider)?;
        let made = listed.iter().find(|key| order.is_some() && key.order == order);
        Ok(made.map(|made| self.new_record(made.id, management)))
    }

    fn new_record(&self, id: KeyId, management: Management) -> MasterKeyRecord {
        let (created, state) = (self.now(), MasterKeyState::Created);
        MasterKeyRecord { id, management, unique_identifiers: BTreeMap::new(), created, state }
    }
}
