//! Key servers in memory, found by host name, with failures to order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex};

use ekm_bridge::cluster::Contact;
use ekm_bridge::provider::ErrorKind;
use ekm_bridge::provider::external::{KeyServer, KeyState, ServerError, ServerKey};
use ekm_bridge::records;
use keywrap::keys::{KeyId, MasterKey};
use keywrap::secret::Secret;
use uuid::Uuid;

use super::Plug;

#[derive(Clone, Default)]
pub(crate) struct ModelContact {
    servers: Arc<Mutex<BTreeMap<String, ModelServer>>>,
    /// When requests that change something count as steps.
    plug: Option<Plug>,
}

/// One server, whoever asks it.
#[derive(Clone, Default)]
pub(crate) struct ModelServer(Arc<Mutex<State>>, Arc<Gate>);

/// What holds every request while it is closed.
#[derive(Default)]
struct Gate {
    is_closed: Mutex<bool>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    keys: BTreeMap<KeyId, (KeyState, [u8; 32])>,
    failure: Option<ErrorKind>,
    requests: usize,
    /// Keys that were revoked, and destroyed, in this order.
    ended: Vec<(&'static str, KeyId)>,
}

struct Asked {
    id: i64,
    name: String,
    server: ModelServer,
    plug: Option<Plug>,
}

impl ModelContact {
    pub(crate) fn at(&self, host: &str) -> ModelServer {
        self.servers.lock().unwrap().entry(host.into()).or_default().clone()
    }

    /// The keys that some server would give out if it answered.
    pub(crate) fn live(&self) -> BTreeSet<(KeyId, [u8; 32])> {
        let servers = self.servers.lock().unwrap();
        servers.values().flat_map(|server| server.live()).collect()
    }

    /// Every key that was revoked or destroyed by request.
    pub(crate) fn ended(&self) -> Vec<(&'static str, KeyId)> {
        let servers = self.servers.lock().unwrap();
        servers.values().flat_map(ModelServer::ended).collect()
    }

    /// From now on requests that change something need power.
    pub(crate) fn count_steps(&mut self, plug: &Plug) {
        self.plug = Some(plug.clone());
    }
}

impl Contact for ModelContact {
    fn server(&self, record: &records::KeyServer, _cluster: Uuid) -> Box<dyn KeyServer> {
        let id = i64::try_from(record.id.0).unwrap();
        let server = self.at(&record.hostnames[0]);
        Box::new(Asked { id, name: record.name.clone(), server, plug: self.plug.clone() })
    }
}

impl ModelServer {
    pub(crate) fn fail(&self, failure: impl Into<Option<ErrorKind>>) {
        self.0.lock().unwrap().failure = failure.into();
    }

    /// Answers nothing any more, or goes on.
    pub(crate) fn hang(&self, hangs: bool) {
        *self.1.is_closed.lock().unwrap() = hangs;
        self.1.opened.notify_all();
    }

    /// Those that are not destroyed.
    pub(crate) fn keys(&self) -> Vec<KeyId> {
        let state = self.0.lock().unwrap();
        let live = state.keys.iter().filter(|(_, (on, _))| *on != KeyState::Destroyed);
        live.map(|(id, _)| *id).collect()
    }

    fn live(&self) -> Vec<(KeyId, [u8; 32])> {
        let state = self.0.lock().unwrap();
        let live = state.keys.iter().filter(|(_, (on, _))| *on != KeyState::Destroyed);
        live.map(|(id, (_, bytes))| (*id, *bytes)).collect()
    }

    /// Somebody else changes the state of a key.
    pub(crate) fn set_state(&self, id: KeyId, to: KeyState) {
        self.0.lock().unwrap().keys.get_mut(&id).unwrap().0 = to;
    }

    /// What was revoked and destroyed, in order.
    pub(crate) fn ended(&self) -> Vec<(&'static str, KeyId)> {
        self.0.lock().unwrap().ended.clone()
    }

    pub(crate) fn put(&self, id: KeyId, byte: u8) {
        self.0.lock().unwrap().keys.insert(id, (KeyState::Active, [byte; 32]));
    }

    pub(crate) fn put_bytes(&self, id: KeyId, bytes: [u8; 32]) {
        self.0.lock().unwrap().keys.insert(id, (KeyState::Active, bytes));
    }

    /// It has never heard of the key.
    pub(crate) fn lose(&self, id: KeyId) {
        self.0.lock().unwrap().keys.remove(&id);
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.lock().unwrap().requests
    }
}

impl Asked {
    fn ask<T>(&self, answer: impl FnOnce(&mut State) -> Result<T, ServerError>) -> Result<T, ServerError> {
        self.server.0.lock().unwrap().requests += 1;
        let gate = &self.server.1;
        drop(gate.opened.wait_while(gate.is_closed.lock().unwrap(), |is_closed| *is_closed).unwrap());
        let mut state = self.server.0.lock().unwrap();
        match state.failure {
            Some(kind) => Err(error(kind)),
            None => answer(&mut state),
        }
    }

    /// A request that changes something.
    fn change<T>(
        &self,
        what: &str,
        answer: impl FnOnce(&mut State) -> Result<T, ServerError>,
    ) -> Result<T, ServerError> {
        if self.plug.as_ref().is_none_or(|plug| plug.step(format!("server {}: {what}", self.name))) {
            return self.ask(answer);
        }
        Err(error(ErrorKind::Unreachable))
    }
}

fn error(kind: ErrorKind) -> ServerError {
    ServerError { kind, message: format!("the model says {kind:?}"), source: None }
}

impl KeyServer for Asked {
    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn create(&self, id: KeyId) -> Result<(), ServerError> {
        self.change("create", |state| {
            let bytes = *Secret::<32>::random().unwrap().expose_secret();
            state.keys.insert(id, (KeyState::Active, bytes));
            Ok(())
        })
    }

    fn register(&self, id: KeyId, key: &MasterKey) -> Result<(), ServerError> {
        self.change("register", |state| {
            state.keys.insert(id, (KeyState::Active, *key.0.expose_secret()));
            Ok(())
        })
    }

    fn find(&self, id: KeyId) -> Result<Option<KeyState>, ServerError> {
        self.ask(|state| Ok(state.keys.get(&id).map(|(state, _)| *state)))
    }

    fn key(&self, id: KeyId) -> Result<MasterKey, ServerError> {
        self.ask(|state| match state.keys.get(&id) {
            Some((KeyState::Destroyed, _)) => Err(error(ErrorKind::Absent)),
            Some((_, bytes)) => Ok(MasterKey(Secret::copy_from(bytes).unwrap())),
            None => Err(error(ErrorKind::Absent)),
        })
    }

    fn activate(&self, _id: KeyId) -> Result<(), ServerError> {
        self.ask(|_| Ok(()))
    }

    fn revoke(&self, id: KeyId) -> Result<(), ServerError> {
        self.change("revoke", |state| {
            if let Some((on, _)) = state.keys.get_mut(&id)
                && *on == KeyState::Active
            {
                *on = KeyState::Revoked;
                state.ended.push(("revoked", id));
            }
            Ok(())
        })
    }

    fn destroy(&self, id: KeyId) -> Result<(), ServerError> {
        self.change("destroy", |state| match state.keys.get_mut(&id) {
            Some((KeyState::Active, _)) => Err(error(ErrorKind::Refused)),
            Some((KeyState::Destroyed, _)) | None => Ok(()),
            Some((on, bytes)) => {
                (*on, *bytes) = (KeyState::Destroyed, [0; 32]);
                state.ended.push(("destroyed", id));
                Ok(())
            }
        })
    }

    fn list(&self) -> Result<Vec<ServerKey>, ServerError> {
        self.ask(|state| {
            let key = |(id, (state, _)): (&KeyId, &(KeyState, _))| ServerKey { id: *id, state: *state, created: None };
            Ok(state.keys.iter().map(key).collect())
        })
    }

    fn test(&self) -> Result<(), ServerError> {
        self.ask(|_| Ok(()))
    }
}
