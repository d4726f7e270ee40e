//! A key manager over KMIP as the external provider wants it.

use std::sync::{Arc, Mutex};

use keywrap::keys::{KeyId, MasterKey};
use uuid::Uuid;

use super::contact::Recipe;
use crate::cluster::control::lock;
use crate::keyserver;
use crate::kmip::enums::State;
use crate::kmip::master_keys::Found;
use crate::kmip::{KeyName, KmipError, MasterKeys};
use crate::provider::ErrorKind;
use crate::provider::external::{KeyServer, KeyState, ServerError, ServerKey};
use crate::transport::Connection;

/// One key manager. Key pair and certificates are put together at the first question.
pub(super) struct KmipServer {
    number: i64,
    cluster: Uuid,
    recipe: Recipe,
    ready: Mutex<Option<Arc<keyserver::KeyServer>>>,
}

impl KmipServer {
    pub(super) fn new(recipe: Recipe, cluster: Uuid) -> Self {
        let number = i64::try_from(recipe.record.id.0).unwrap_or(i64::MAX);
        Self { number, cluster, recipe, ready: Mutex::default() }
    }

    fn server(&self) -> Result<Arc<keyserver::KeyServer>, ServerError> {
        let mut ready = lock(&self.ready);
        if let Some(server) = ready.as_ref() {
            return Ok(Arc::clone(server));
        }
        let server = Arc::new(keyserver::KeyServer::new(self.recipe.access()?));
        *ready = Some(Arc::clone(&server));
        Ok(server)
    }

    fn ask<T>(
        &self,
        question: impl FnOnce(&mut MasterKeys<Connection>) -> Result<T, KmipError>,
    ) -> Result<T, ServerError> {
        question(&mut self.server()?.keys()).map_err(failed)
    }

    fn name_of(&self, key: KeyId) -> KeyName {
        KeyName { cluster: self.cluster, key }
    }

    /// Does `change` to the key if it is there and not destroyed.
    fn change<T>(
        &self,
        id: KeyId,
        change: impl FnOnce(&mut MasterKeys<Connection>, &Found) -> Result<T, KmipError>,
    ) -> Result<Option<T>, ServerError> {
        let name = self.name_of(id);
        self.ask(|keys| match keys.find(&name)?.filter(Found::is_live) {
            Some(found) => change(keys, &found).map(Some),
            None => Ok(None),
        })
    }
}

impl KeyServer for KmipServer {
    fn id(&self) -> i64 {
        self.number
    }

    fn name(&self) -> &str {
        &self.recipe.record.name
    }

    fn create(&self, id: KeyId) -> Result<(), ServerError> {
        let name = self.name_of(id);
        self.ask(|keys| keys.create(&name).map(drop))
    }

    fn register(&self, id: KeyId, key: &MasterKey) -> Result<(), ServerError> {
        let name = self.name_of(id);
        self.ask(|keys| keys.register(&name, key).map(drop))
    }

    fn find(&self, id: KeyId) -> Result<Option<KeyState>, ServerError> {
        let name = self.name_of(id);
        self.ask(|keys| Ok(keys.find(&name)?.map(|found| state(found.state))))
    }

    fn key(&self, id: KeyId) -> Result<MasterKey, ServerError> {
        let name = self.name_of(id);
        self.ask(|keys| keys.key(&name).map(|(_, key)| key))
    }

    fn activate(&self, id: KeyId) -> Result<(), ServerError> {
        let done = self.change(id, |keys, found| keys.activate(&found.id))?;
        done.map(drop).ok_or_else(|| absent(id))
    }

    fn revoke(&self, id: KeyId) -> Result<(), ServerError> {
        let is_unused = |found: &Found| found.state == Some(State::PRE_ACTIVE);
        self.change(id, |keys, found| if is_unused(found) { Ok(()) } else { keys.revoke(&found.id).map(drop) })
            .map(drop)
    }

    fn destroy(&self, id: KeyId) -> Result<(), ServerError> {
        self.change(id, |keys, found| keys.destroy(&found.id)).map(drop)
    }

    fn list(&self) -> Result<Vec<ServerKey>, ServerError> {
        let listed = self.ask(|keys| keys.list(self.cluster))?;
        let key = |(id, found): (KeyId, Found)| ServerKey { id, state: state(found.state), created: None };
        Ok(listed.into_iter().map(key).collect())
    }

    fn test(&self) -> Result<(), ServerError> {
        self.server()?.check().map(drop).map_err(failed)
    }
}

/// A server that does not tell the state is believed to have the key in use.
fn state(state: Option<State>) -> KeyState {
    match state {
        Some(State::PRE_ACTIVE) => KeyState::PreActive,
        Some(State::DEACTIVATED) => KeyState::Revoked,
        Some(State::COMPROMISED) => KeyState::Compromised,
        Some(State::DESTROYED | State::DESTROYED_COMPROMISED) => KeyState::Destroyed,
        _ => KeyState::Active,
    }
}

fn failed(error: KmipError) -> ServerError {
    ServerError { kind: error.kind.into(), message: error.to_string(), source: Some(Box::new(error)) }
}

fn absent(id: KeyId) -> ServerError {
    ServerError { kind: ErrorKind::Absent, message: format!("it has no key {id}"), source: None }
}
