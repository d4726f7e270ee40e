//! Key servers.

use crate::cluster::control::{ClusterControl, lock};
use crate::cluster::errors::{api, of_record, of_rule, of_server};
use crate::records::{self, KeyManagement, KeyProviderRecord};
use crate::rpc::control::{KeyServers, Outcome};
use crate::rpc::types::key_servers::{CreateKeyServer, DEFAULT_PORT, KeyServerKmip, ListKeyServers, ModifyKeyServer};
use crate::rpc::types::limits::Limits;
use crate::rpc::types::{KeyProviderId, KeyServerId};
use crate::rpc::{ApiError, ErrorName};
use crate::trust::{CertificateChain, Problem, check_authorities, check_client};

impl KeyServers for ClusterControl {
    fn create_key_server(&self, new: CreateKeyServer) -> Outcome<KeyServerKmip> {
        let _one_at_a_time = lock(&self.assigning);
        let known: Vec<records::KeyServer> = self.records.table().list().map_err(of_record)?;
        refuse_too_many(known.len(), Limits::CURRENT.key_server_count_max, "key servers")?;
        self.check_certificates(&new.kmip_ca_certificate, &new.kmip_client_certificate)?;
        let made = self.records.table().insert(|id| records::KeyServer {
            id,
            name: new.kmip_key_server_name.clone(),
            hostnames: new.kmip_key_server_hostnames.clone(),
            port: new.kmip_key_server_port.unwrap_or(DEFAULT_PORT),
            ca_certificate: new.kmip_ca_certificate.clone(),
            client_certificate: new.kmip_client_certificate.clone(),
            provider: None,
        });
        let made = made.map_err(of_record)?;
        self.changed(&format!("Key server {} was created.", made.id))?;
        self.show_server(made)
    }

    fn modify_key_server(&self, change: ModifyKeyServer) -> Outcome<KeyServerKmip> {
        let _one_at_a_time = lock(&self.assigning);
        let known = self.server_record(change.id)?;
        if change.is_empty() {
            return self.show_server(known);
        }
        let changed = apply(known, change);
        self.check_certificates(&changed.ca_certificate, &changed.client_certificate)?;
        self.reach(&changed)?.test().map_err(of_server)?;
        self.records.table().put(&changed).map_err(of_record)?;
        self.replace_in_provider(&changed)?;
        self.changed(&format!("Key server {} was modified.", changed.id))?;
        self.show_server(changed)
    }

    fn key_server(&self, id: KeyServerId) -> Outcome<KeyServerKmip> {
        self.show_server(self.server_record(id)?)
    }

    fn key_servers(&self, filter: ListKeyServers) -> Outcome<Vec<KeyServerKmip>> {
        let known: Vec<records::KeyServer> = self.records.table().list().map_err(of_record)?;
        let mut shown = known.into_iter().map(|server| self.show_server(server)).collect::<Outcome<Vec<_>>>()?;
        shown.retain(|server| filter.matches(server));
        Ok(shown)
    }

    fn delete_key_server(&self, id: KeyServerId) -> Outcome<()> {
        let _one_at_a_time = lock(&self.assigning);
        let known = self.server_record(id)?;
        self.note_left_copies(&known)?;
        KeyManagement::new(&self.records).delete_server(known.id).map_err(of_rule)?;
        self.forget_in_provider(&known);
        self.changed(&format!("Key server {id} was deleted."))
    }

    fn test_key_server(&self, id: KeyServerId) -> Outcome<()> {
        let known = self.server_record(id)?;
        self.reach(&known)?.test().map_err(of_server)
    }
}

impl ClusterControl {
    pub(super) fn server_record(&self, id: KeyServerId) -> Outcome<records::KeyServer> {
        self.records.table().need(records::KeyServerId(id.0)).map_err(of_record)
    }

    fn show_server(&self, server: records::KeyServer) -> Outcome<KeyServerKmip> {
        let provider = server.provider.map(|id| self.records.table::<KeyProviderRecord>().need(id)).transpose();
        let provider = provider.map_err(of_record)?;
        Ok(KeyServerKmip {
            id: KeyServerId(server.id.0),
            kmip_key_server_name: server.name,
            kmip_key_server_hostnames: server.hostnames,
            kmip_key_server_port: server.port,
            kmip_ca_certificate: server.ca_certificate,
            kmip_client_certificate: server.client_certificate,
            provider: server.provider.map(|id| KeyProviderId(id.0)),
            kmip_assigned_provider_is_active: provider.map(|provider| provider.active),
        })
    }

    /// Refuses what no connection can succeed with. What only may fail is said in the log.
    fn check_certificates(&self, authorities: &str, client: &str) -> Outcome<()> {
        let chain = |what: &str, pem: &str| {
            CertificateChain::from_pem(pem).map_err(|error| {
                ApiError::new(ErrorName::KmipCertificateInvalid, format!("parameter `{what}`: {error}"))
                    .caused_by(error)
            })
        };
        let authorities = chain("kmipCaCertificate", authorities)?;
        let client = chain("kmipClientCertificate", client)?;
        let mut problems = check_authorities(&authorities, self.now());
        // Without a key pair there is nothing to compare with; the first contact will say so.
        let public_key =
            self.key_pair_info()?.map_or_else(|| client.leaf().public_key().to_vec(), |info| info.public_key);
        problems.extend(check_client(&client, &public_key, self.now()));
        for problem in problems.iter().filter(|problem| !problem.is_fatal()) {
            tracing::warn!("{problem}");
        }
        match problems.into_iter().find(Problem::is_fatal) {
            Some(problem) => Err(api(ErrorName::KmipCertificateInvalid, problem)),
            None => Ok(()),
        }
    }
}

pub(super) fn refuse_too_many(known: usize, max: u64, what: &str) -> Outcome<()> {
    if u64::try_from(known).is_ok_and(|known| known < max) {
        return Ok(());
    }
    Err(ApiError::new(ErrorName::ExceededLimit, format!("there are {known} {what} already, and {max} are the most")))
}

fn apply(mut server: records::KeyServer, change: ModifyKeyServer) -> records::KeyServer {
    server.ca_certificate = change.kmip_ca_certificate.unwrap_or(server.ca_certificate);
    server.client_certificate = change.kmip_client_certificate.unwrap_or(server.client_certificate);
    server.hostnames = change.kmip_key_server_hostnames.unwrap_or(server.hostnames);
    server.name = change.kmip_key_server_name.unwrap_or(server.name);
    server.port = change.kmip_key_server_port.unwrap_or(server.port);
    server
}
