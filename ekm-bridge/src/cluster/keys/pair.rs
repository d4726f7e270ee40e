//! The cluster's key pair towards key servers.

use crate::cluster::control::{ClusterControl, lock};
use crate::cluster::errors::{of_record, of_trust};
use crate::records::{KeyProviderRecord, KeyServer};
use crate::rpc::control::{KeyPair, Outcome};
use crate::rpc::types::trust::CreateKeyPair;
use crate::rpc::{ApiError, ErrorName};
use crate::trust::{KeyPairInfo, KeyPairStore, Subject};

impl KeyPair for ClusterControl {
    fn create_key_pair(&self, subject: &CreateKeyPair) -> Outcome<()> {
        let _one_at_a_time = lock(&self.assigning);
        self.refuse_pair_in_use()?;
        let subject = subject_of(subject.clone()).or_named(&self.config.name);
        self.key_pair().create(&subject, self.now()).map_err(of_trust)?;
        // Servers that are not in use keep what they were reached with.
        lock(&self.providers).clear();
        self.changed("The key pair for key servers was made anew.")
    }

    fn sign_request(&self) -> Outcome<String> {
        let absent = || {
            let message = "there is no key pair; call CreatePublicPrivateKeyPair first";
            ApiError::new(ErrorName::KeyPairDoesNotExist, message)
        };
        Ok(self.key_pair_info()?.ok_or_else(absent)?.request)
    }
}

impl ClusterControl {
    pub(super) fn key_pair(&self) -> KeyPairStore<'_> {
        KeyPairStore::new(self.records.store().as_ref(), self.internal.as_ref())
    }

    pub(in crate::cluster) fn key_pair_info(&self) -> Outcome<Option<KeyPairInfo>> {
        self.key_pair().info().map_err(of_trust)
    }

    fn refuse_pair_in_use(&self) -> Outcome<()> {
        let providers: Vec<KeyProviderRecord> = self.records.table().list().map_err(of_record)?;
        let servers: Vec<KeyServer> = self.records.table().list().map_err(of_record)?;
        let is_active = |server: &&KeyServer| {
            providers.iter().any(|provider| provider.active && server.provider == Some(provider.id))
        };
        let Some(server) = servers.iter().find(is_active) else { return Ok(()) };
        let message = format!(
            "key server {} of an active key provider is reached with the present key pair; rekey to internal key \
             management first",
            server.id
        );
        Err(ApiError::new(ErrorName::KeyPairInUse, message))
    }
}

fn subject_of(wanted: CreateKeyPair) -> Subject {
    let CreateKeyPair { common_name, organization, organizational_unit, locality, state, country, email_address } =
        wanted;
    Subject { common_name, organization, organizational_unit, locality, state, country, email_address }
}
