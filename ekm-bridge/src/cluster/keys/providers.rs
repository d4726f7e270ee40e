//! Key providers: what is recorded of them, and the live ones that talk to their servers.

use std::sync::Arc;

use super::servers::refuse_too_many;
use crate::cluster::control::{ClusterControl, lock};
use crate::cluster::errors::{of_provider, of_record, of_rule, of_sync};
use crate::provider::external::{CachePolicy, ExternalProvider, Settings};
use crate::records::key_management::{Assignment, may_unassign, plan_assignment};
use crate::records::{self, KeyManagement, KeyProviderRecord};
use crate::rpc::control::{KeyProviders, Outcome};
use crate::rpc::types::key_providers::{AddKeyServer, KeyProviderKmip, ListKeyProviders};
use crate::rpc::types::limits::Limits;
use crate::rpc::types::{KeyProviderId, KeyServerId};
use crate::rpc::{ApiError, ErrorName};
use crate::store::Store;

/// What the KMIP client can do, for people.
const CAPABILITIES: &str = "KMIP 1.0 to 2.1 over TLS 1.2 and 1.3";

impl KeyProviders for ClusterControl {
    fn create_key_provider(&self, name: String) -> Outcome<KeyProviderKmip> {
        let _one_at_a_time = lock(&self.assigning);
        let known: Vec<KeyProviderRecord> = self.records.table().list().map_err(of_record)?;
        refuse_too_many(known.len(), Limits::CURRENT.key_provider_count_max, "key providers")?;
        let made = KeyManagement::new(&self.records).create_provider(&name).map_err(of_record)?;
        self.changed(&format!("Key provider {} was created.", made.id))?;
        self.show_provider(&made)
    }

    fn key_provider(&self, id: KeyProviderId) -> Outcome<KeyProviderKmip> {
        self.show_provider(&self.provider_record(records::KeyProviderId(id.0))?)
    }

    fn key_providers(&self, filter: ListKeyProviders) -> Outcome<Vec<KeyProviderKmip>> {
        let known: Vec<KeyProviderRecord> = self.records.table().list().map_err(of_record)?;
        let mut shown = known.iter().map(|provider| self.show_provider(provider)).collect::<Outcome<Vec<_>>>()?;
        shown.retain(|provider| filter.matches(provider));
        Ok(shown)
    }

    fn delete_key_provider(&self, id: KeyProviderId) -> Outcome<()> {
        let _one_at_a_time = lock(&self.assigning);
        let number = records::KeyProviderId(id.0);
        KeyManagement::new(&self.records).delete_provider(number).map_err(of_rule)?;
        lock(&self.providers).remove(&number);
        self.changed(&format!("Key provider {id} was deleted."))
    }

    fn test_key_provider(&self, id: KeyProviderId) -> Outcome<()> {
        self.usable_provider(records::KeyProviderId(id.0))?.test().map_err(of_provider)
    }

    /// Keys are copied before the assignment is recorded: whatever is recorded to belong to a provider has its keys.
    fn add_key_server(&self, assignment: AddKeyServer) -> Outcome<()> {
        let _one_at_a_time = lock(&self.assigning);
        let number = records::KeyProviderId(assignment.provider.0);
        let (provider, server) = (self.provider_record(number)?, self.server_record(assignment.server)?);
        let plan = plan_assignment(&server, &provider).map_err(|refusal| of_rule(refusal.into()))?;
        if plan == Assignment::Already {
            return Ok(());
        }
        let live = self.provider(number)?;
        let contact = self.reach(&server)?;
        let report = live.add_server(contact).map_err(of_sync)?;
        if let Err(error) = KeyManagement::new(&self.records).assign(server.id, number) {
            live.remove_server(of_number(server.id));
            return Err(of_rule(error));
        }
        self.changed(&format!(
            "Key server {} was added to key provider {number}; {} keys, {} copied.",
            server.id, report.keys, report.copies
        ))
    }

    fn remove_key_server(&self, server: KeyServerId) -> Outcome<()> {
        let _one_at_a_time = lock(&self.assigning);
        let known = self.server_record(server)?;
        let plan = self.plan_removal(&known)?;
        if plan == Assignment::Already {
            return Ok(());
        }
        self.note_left_copies(&known)?;
        KeyManagement::new(&self.records).unassign(known.id).map_err(of_rule)?;
        self.forget_in_provider(&known);
        self.changed(&format!("Key server {server} was removed from its key provider."))
    }
}

impl ClusterControl {
    pub(in crate::cluster) fn provider_record(&self, id: records::KeyProviderId) -> Outcome<KeyProviderRecord> {
        self.records.table().need(id).map_err(of_record)
    }

    /// The servers of a provider, in the order of their ids.
    pub(in crate::cluster) fn servers_of(&self, id: records::KeyProviderId) -> Outcome<Vec<records::KeyServer>> {
        let mut servers: Vec<records::KeyServer> = self.records.table().list().map_err(of_record)?;
        servers.retain(|server| server.provider == Some(id));
        Ok(servers)
    }

    /// The live provider, made when it is not there yet.
    pub(in crate::cluster) fn provider(&self, id: records::KeyProviderId) -> Outcome<Arc<ExternalProvider>> {
        self.provider_record(id)?;
        let mut live = lock(&self.providers);
        if let Some(provider) = live.get(&id) {
            return Ok(Arc::clone(provider));
        }
        let servers = self.servers_of(id)?.iter().map(|server| self.reach(server)).collect::<Outcome<Vec<_>>>()?;
        let store: Box<dyn Store> = Box::new(Arc::clone(self.records.store()));
        let number = i64::try_from(id.0).unwrap_or(i64::MAX);
        let settings = Settings { cache: *lock(&self.cache), ..self.config.providers };
        let provider = ExternalProvider::new(number, store, servers, settings, Box::new(self.clock.clone()));
        let provider = Arc::new(provider);
        live.insert(id, Arc::clone(&provider));
        Ok(provider)
    }

    /// Has every provider treat keys in memory differently from now on.
    pub fn set_cache_policy(&self, policy: CachePolicy) {
        // Whoever makes a provider holds this lock too, so none is made with the old policy afterwards.
        let live = lock(&self.providers);
        *lock(&self.cache) = policy;
        live.values().for_each(|provider| provider.set_cache_policy(policy));
    }

    /// The live provider, which must have a server.
    pub(in crate::cluster) fn usable_provider(&self, id: records::KeyProviderId) -> Outcome<Arc<ExternalProvider>> {
        let provider = self.provider(id)?;
        if self.servers_of(id)?.is_empty() {
            let message = format!("key provider {id} has no key server; add one first");
            return Err(ApiError::new(ErrorName::KeyProviderHasNoServer, message));
        }
        Ok(provider)
    }

    /// Has the live provider of a server, if there is one, reach it as its record says now.
    pub(super) fn replace_in_provider(&self, server: &records::KeyServer) -> Outcome<()> {
        let Some(provider) = server.provider else { return Ok(()) };
        let contact = self.reach(server)?;
        self.provider(provider)?.replace_server(contact);
        Ok(())
    }

    pub(super) fn forget_in_provider(&self, server: &records::KeyServer) {
        let live = lock(&self.providers);
        if let Some(provider) = server.provider.and_then(|provider| live.get(&provider)) {
            provider.remove_server(of_number(server.id));
        }
    }

    fn plan_removal(&self, server: &records::KeyServer) -> Outcome<Assignment> {
        let servers: Vec<records::KeyServer> = self.records.table().list().map_err(of_record)?;
        let keys: Vec<records::MasterKeyRecord> = self.records.table().list().map_err(of_record)?;
        may_unassign(server, &servers, &keys).map_err(|refusal| of_rule(refusal.into()))
    }

    fn show_provider(&self, provider: &KeyProviderRecord) -> Outcome<KeyProviderKmip> {
        let servers = self.servers_of(provider.id)?;
        Ok(KeyProviderKmip {
            id: KeyProviderId(provider.id.0),
            key_provider_name: provider.name.clone(),
            key_provider_is_active: provider.active,
            servers: servers.iter().map(|server| KeyServerId(server.id.0)).collect(),
            kmip_capabilities: CAPABILITIES.into(),
        })
    }
}

fn of_number(id: records::KeyServerId) -> i64 {
    i64::try_from(id.0).unwrap_or(i64::MAX)
}
