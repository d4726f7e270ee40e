//! Key pair, key servers, key providers.

use ekm_bridge::rpc::ErrorName;
use ekm_bridge::rpc::control::{KeyPair, KeyProviders, KeyServers, Outcome};
use ekm_bridge::rpc::types::key_providers::{AddKeyServer, KeyProviderKmip, ListKeyProviders};
use ekm_bridge::rpc::types::key_servers::{
    CreateKeyServer, DEFAULT_PORT, KeyServerKmip, ListKeyServers, ModifyKeyServer,
};
use ekm_bridge::rpc::types::trust::CreateKeyPair;
use ekm_bridge::rpc::types::{KeyProviderId, KeyServerId};

use super::{Model, State, fail};

impl KeyPair for Model {
    fn create_key_pair(&self, subject: &CreateKeyPair) -> Outcome<()> {
        let mut state = self.state();
        if state.providers.keys().any(|provider| state.is_active(*provider)) {
            return fail(ErrorName::KeyPairInUse, "the key pair is in use");
        }
        state.pair = Some(subject.clone());
        Ok(())
    }

    fn sign_request(&self) -> Outcome<String> {
        match &self.state().pair {
            Some(pair) => Ok(format!(
                "-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n",
                pair.common_name.as_deref().unwrap_or("none")
            )),
            None => fail(ErrorName::KeyPairDoesNotExist, "there is no key pair; call CreatePublicPrivateKeyPair first"),
        }
    }
}

impl KeyServers for Model {
    fn create_key_server(&self, new: CreateKeyServer) -> Outcome<KeyServerKmip> {
        for pem in [&new.kmip_ca_certificate, &new.kmip_client_certificate] {
            check_certificate(pem)?;
        }
        let mut state = self.state();
        let server = KeyServerKmip {
            id: KeyServerId(state.next_id()),
            kmip_key_server_name: new.kmip_key_server_name,
            kmip_key_server_hostnames: new.kmip_key_server_hostnames,
            kmip_key_server_port: new.kmip_key_server_port.unwrap_or(DEFAULT_PORT),
            kmip_ca_certificate: new.kmip_ca_certificate,
            kmip_client_certificate: new.kmip_client_certificate,
            provider: None,
            kmip_assigned_provider_is_active: None,
        };
        state.servers.insert(server.id, server.clone());
        Ok(server)
    }

    fn modify_key_server(&self, change: ModifyKeyServer) -> Outcome<KeyServerKmip> {
        let mut state = self.state();
        let mut server = state.server(change.id)?;
        if change.is_empty() {
            return Ok(server);
        }
        for pem in [&change.kmip_ca_certificate, &change.kmip_client_certificate].into_iter().flatten() {
            check_certificate(pem)?;
        }
        let replace = |old: &mut String, new: Option<String>| *old = new.unwrap_or_else(|| old.clone());
        replace(&mut server.kmip_ca_certificate, change.kmip_ca_certificate);
        replace(&mut server.kmip_client_certificate, change.kmip_client_certificate);
        replace(&mut server.kmip_key_server_name, change.kmip_key_server_name);
        server.kmip_key_server_port = change.kmip_key_server_port.unwrap_or(server.kmip_key_server_port);
        if let Some(hosts) = change.kmip_key_server_hostnames {
            server.kmip_key_server_hostnames = hosts;
        }
        contact(&server)?;
        state.servers.insert(server.id, server.clone());
        Ok(server)
    }

    fn key_server(&self, id: KeyServerId) -> Outcome<KeyServerKmip> {
        self.state().server(id)
    }

    fn key_servers(&self, filter: ListKeyServers) -> Outcome<Vec<KeyServerKmip>> {
        let state = self.state();
        let servers: Outcome<Vec<_>> = state.servers.keys().map(|id| state.server(*id)).collect();
        Ok(servers?.into_iter().filter(|server| filter.matches(server)).collect())
    }

    fn delete_key_server(&self, id: KeyServerId) -> Outcome<()> {
        let mut state = self.state();
        state.refuse_last(&state.server(id)?)?;
        state.servers.remove(&id);
        Ok(())
    }

    fn test_key_server(&self, id: KeyServerId) -> Outcome<()> {
        contact(&self.state().server(id)?)
    }
}

impl KeyProviders for Model {
    fn create_key_provider(&self, name: String) -> Outcome<KeyProviderKmip> {
        match name.as_str() {
            "defect" => panic!("asked for by a test"),
            "slow" => self.be_slow(),
            _ => {}
        }
        let mut state = self.state();
        let id = KeyProviderId(state.next_id());
        state.providers.insert(id, name);
        state.provider(id)
    }

    fn key_provider(&self, id: KeyProviderId) -> Outcome<KeyProviderKmip> {
        self.state().provider(id)
    }

    fn key_providers(&self, filter: ListKeyProviders) -> Outcome<Vec<KeyProviderKmip>> {
        let state = self.state();
        let providers: Outcome<Vec<_>> = state.providers.keys().map(|id| state.provider(*id)).collect();
        Ok(providers?.into_iter().filter(|provider| filter.matches(provider)).collect())
    }

    fn delete_key_provider(&self, id: KeyProviderId) -> Outcome<()> {
        let mut state = self.state();
        if state.provider(id)?.key_provider_is_active {
            return fail(ErrorName::KeyProviderIsActive, format!("key provider {id} has keys in use"));
        }
        state
            .servers
            .values_mut()
            .filter(|server| server.provider == Some(id))
            .for_each(|server| server.provider = None);
        state.providers.remove(&id);
        Ok(())
    }

    fn test_key_provider(&self, id: KeyProviderId) -> Outcome<()> {
        let state = self.state();
        state.usable(id)?.iter().try_for_each(|server| contact(&state.servers[server]))
    }

    fn add_key_server(&self, assignment: AddKeyServer) -> Outcome<()> {
        let mut state = self.state();
        let (provider, server) = (state.provider(assignment.provider)?, state.server(assignment.server)?);
        match server.provider {
            Some(assigned) if assigned == provider.id => return Ok(()),
            Some(other) => return fail(ErrorName::KeyServerInUse, format!("it belongs to key provider {other}")),
            None => contact(&server)?,
        }
        if !provider.servers.is_empty() && host(&server).starts_with("twin") {
            return fail(ErrorName::KeySyncConflict, "it holds other keys under the same ids");
        }
        state.servers.get_mut(&server.id).expect("it was found above").provider = Some(provider.id);
        Ok(())
    }

    fn remove_key_server(&self, server: KeyServerId) -> Outcome<()> {
        let mut state = self.state();
        state.refuse_last(&state.server(server)?)?;
        state.servers.get_mut(&server).expect("it was found above").provider = None;
        Ok(())
    }
}

impl State {
    fn server(&self, id: KeyServerId) -> Outcome<KeyServerKmip> {
        let Some(server) = self.servers.get(&id) else {
            return fail(ErrorName::KeyServerDoesNotExist, format!("there is no key server {id}"));
        };
        let is_active = server.provider.map(|provider| self.is_active(provider));
        Ok(KeyServerKmip { kmip_assigned_provider_is_active: is_active, ..server.clone() })
    }

    fn provider(&self, id: KeyProviderId) -> Outcome<KeyProviderKmip> {
        let Some(name) = self.providers.get(&id) else {
            return fail(ErrorName::KeyProviderDoesNotExist, format!("there is no key provider {id}"));
        };
        Ok(KeyProviderKmip {
            id,
            key_provider_name: name.clone(),
            key_provider_is_active: self.is_active(id),
            servers: self.servers_of(id),
            kmip_capabilities: "KMIP 1.4".into(),
        })
    }

    /// The servers of a provider that keys may come from.
    pub(super) fn usable(&self, id: KeyProviderId) -> Outcome<Vec<KeyServerId>> {
        let servers = self.provider(id)?.servers;
        if servers.is_empty() {
            return fail(ErrorName::KeyProviderHasNoServer, format!("key provider {id} has no key server"));
        }
        Ok(servers)
    }

    fn refuse_last(&self, server: &KeyServerKmip) -> Outcome<()> {
        match server.provider {
            Some(provider) if self.is_active(provider) && self.servers_of(provider).len() == 1 => {
                fail(ErrorName::LastKeyServerOfActiveProvider, format!("key provider {provider} needs it"))
            }
            _ => Ok(()),
        }
    }
}

fn check_certificate(pem: &str) -> Outcome<()> {
    if pem.starts_with("-----BEGIN CERTIFICATE-----") {
        return Ok(());
    }
    fail(ErrorName::KmipCertificateInvalid, "not a certificate in PEM")
}

fn host(server: &KeyServerKmip) -> &str {
    server.kmip_key_server_hostnames.first().map_or("", String::as_str)
}

/// What a contact with the server brings; see the module's documentation.
fn contact(server: &KeyServerKmip) -> Outcome<()> {
    let host = host(server);
    match host.split(['.', '-']).next() {
        Some("down") => fail(ErrorName::KmipConnectionFailed, format!("{host}: connection refused")),
        Some("stranger") => fail(ErrorName::KmipAuthenticationFailed, format!("{host}: unknown certificate")),
        Some("broken") => fail(ErrorName::KmipServerError, format!("{host}: general failure")),
        _ => Ok(()),
    }
}
