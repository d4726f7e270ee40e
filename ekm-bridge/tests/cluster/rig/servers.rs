//! Key servers in memory, found by host name, with failures to order.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};

use ekm_bridge::cluster::Contact;
use ekm_bridge::provider::ErrorKind;
use ekm_bridge::provider::external::{KeyServer, KeyState, ServerError, ServerKey};
use ekm_bridge::records;
use keywrap::keys::{KeyId, MasterKey};
use keywrap::secret::Secret;
use uuid::Uuid;

#[derive(Clone, Default)]
pub(crate) struct ModelContact(Arc<Mutex<BTreeMap<String, ModelServer>>>);

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
}

struct Asked {
    id: i64,
    name: String,
    server: ModelServer,
}

impl ModelContact {
    pub(crate) fn at(&self, host: &str) -> ModelServer {
        self.0.lock().unwrap().entry(host.into()).or_default().clone()
    }
}

impl Contact for ModelContact {
    fn server(&self, record: &records::KeyServer, _cluster: Uuid) -> Box<dyn KeyServer> {
        let id = i64::try_from(record.id.0).unwrap();
        Box::new(Asked { id, name: record.name.clone(), server: self.at(&record.hostnames[0]) })
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

    pub(crate) fn keys(&self) -> Vec<KeyId> {
        self.0.lock().unwrap().keys.keys().copied().collect()
    }

    pub(crate) fn put(&self, id: KeyId, byte: u8) {
        self.0.lock().unwrap().keys.insert(id, (KeyState::Active, [byte; 32]));
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
        self.ask(|state| {
            let bytes = *Secret::<32>::random().unwrap().expose_secret();
            state.keys.insert(id, (KeyState::Active, bytes));
            Ok(())
        })
    }

    fn register(&self, id: KeyId, key: &MasterKey) -> Result<(), ServerError> {
        self.ask(|state| {
            state.keys.insert(id, (KeyState::Active, *key.0.expose_secret()));
            Ok(())
        })
    }

    fn find(&self, id: KeyId) -> Result<Option<KeyState>, ServerError> {
        self.ask(|state| Ok(state.keys.get(&id).map(|(state, _)| *state)))
    }

    fn key(&self, id: KeyId) -> Result<MasterKey, ServerError> {
        self.ask(|state| match state.keys.get(&id) {
            Some((_, bytes)) => Ok(MasterKey(Secret::copy_from(bytes).unwrap())),
            None => Err(error(ErrorKind::Absent)),
        })
    }

    fn activate(&self, _id: KeyId) -> Result<(), ServerError> {
        self.ask(|_| Ok(()))
    }

    fn revoke(&self, _id: KeyId) -> Result<(), ServerError> {
        panic!("nothing is revoked here")
    }

    fn destroy(&self, _id: KeyId) -> Result<(), ServerError> {
        panic!("nothing is destroyed here")
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
