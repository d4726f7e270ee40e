//! Key servers, a store and a clock in memory, with faults to order.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use keywrap::keys::{KeyId, MasterKey};
use keywrap::secret::Secret;

use super::{Clock, ExternalProvider, KeyServer, KeyState, ServerError, ServerKey, Settings};
use crate::provider::ErrorKind;
use crate::store::{Change, Entry, Revision, Store, StoreError, Transaction};
use crate::time::UnixSeconds;

/// What happens to the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Fine,
    /// It does not arrive.
    LostRequest,
    /// It is carried out, and the reply does not arrive.
    LostReply,
    Refused,
    NotAuthenticated,
    /// A key that is read has other bytes, this once.
    WrongBytes,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) keys: BTreeMap<KeyId, (KeyState, [u8; 32])>,
    pub(super) faults: VecDeque<Fault>,
    /// Answers like this until it is taken away.
    pub(super) down: Option<ErrorKind>,
    pub(super) requests: Vec<&'static str>,
    made: u8,
}

/// A key server; clones are the same one. Those with an odd number forget the names of destroyed keys.
#[derive(Clone)]
pub(super) struct ModelServer {
    id: i64,
    name: String,
    state: Arc<Mutex<State>>,
}

impl ModelServer {
    pub(super) fn new(id: i64) -> Self {
        Self { id, name: format!("s{id}"), state: Arc::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn fault(&self, faults: &[Fault]) {
        self.state().faults.extend(faults);
    }

    pub(super) fn set_down(&self, kind: impl Into<Option<ErrorKind>>) {
        self.state().down = kind.into();
    }

    /// The bytes of every key in use.
    pub(super) fn alive(&self) -> BTreeMap<KeyId, [u8; 32]> {
        let alive = |(id, (state, bytes)): (&KeyId, &(KeyState, [u8; 32]))| state.is_alive().then_some((*id, *bytes));
        self.state().keys.iter().filter_map(alive).collect()
    }

    pub(super) fn put(&self, id: KeyId, byte: u8) {
        self.state().keys.insert(id, (KeyState::Active, [byte; 32]));
    }

    pub(super) fn requests(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state().requests)
    }

    /// Carries out a request under the next fault.
    fn answer<T>(
        &self,
        request: &'static str,
        perform: impl FnOnce(&mut State, Fault) -> Result<T, ServerError>,
    ) -> Result<T, ServerError> {
        let mut state = self.state();
        state.requests.push(request);
        if let Some(kind) = state.down {
            return Err(error(kind, "down"));
        }
        let fault = state.faults.pop_front().unwrap_or(Fault::Fine);
        match fault {
            Fault::Fine | Fault::WrongBytes => perform(&mut state, fault),
            Fault::LostRequest => Err(error(ErrorKind::Unreachable, "the request was lost")),
            Fault::LostReply => {
                drop(perform(&mut state, fault));
                Err(error(ErrorKind::Unreachable, "the reply was lost"))
            }
            Fault::Refused => Err(error(ErrorKind::Refused, "not now")),
            Fault::NotAuthenticated => Err(error(ErrorKind::NotAuthenticated, "who are you")),
        }
    }

    fn change(&self, request: &'static str, id: KeyId, to: KeyState) -> Result<(), ServerError> {
        let forgets = self.id % 2 == 1;
        self.answer(request, |state, _| {
            let Some(key) = state.keys.get_mut(&id) else { return Err(error(ErrorKind::Absent, "no such key")) };
            if to == KeyState::Destroyed && key.0 == KeyState::Active {
                return Err(error(ErrorKind::Refused, "an active key is not destroyed"));
            }
            key.0 = key.0.max(to);
            if key.0 == KeyState::Destroyed && forgets {
                state.keys.remove(&id);
            }
            Ok(())
        })
    }
}

impl KeyServer for ModelServer {
    fn id(&self) -> i64 {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn create(&self, id: KeyId) -> Result<(), ServerError> {
        let server = u8::try_from(self.id).unwrap();
        self.answer("create", |state, _| {
            state.made += 1;
            insert(state, id, KeyState::PreActive, [server * 16 + state.made; 32])
        })
    }

    fn register(&self, id: KeyId, key: &MasterKey) -> Result<(), ServerError> {
        self.answer("register", |state, _| insert(state, id, KeyState::Active, *key.0.expose_secret()))
    }

    fn find(&self, id: KeyId) -> Result<Option<KeyState>, ServerError> {
        self.answer("find", |state, _| Ok(state.keys.get(&id).map(|key| key.0)))
    }

    fn key(&self, id: KeyId) -> Result<MasterKey, ServerError> {
        self.answer("key", |state, fault| match state.keys.get(&id) {
            None | Some((KeyState::Destroyed, _)) => Err(error(ErrorKind::Absent, "no such key")),
            Some((_, bytes)) => {
                // No two garbled readings agree.
                let garbled = [0xee_u8.wrapping_add(state.requests.len().to_le_bytes()[0]); 32];
                let bytes = if fault == Fault::WrongBytes { garbled } else { *bytes };
                Ok(MasterKey(Secret::copy_from(&bytes).unwrap()))
            }
        })
    }

    fn activate(&self, id: KeyId) -> Result<(), ServerError> {
        self.change("activate", id, KeyState::Active)
    }

    fn revoke(&self, id: KeyId) -> Result<(), ServerError> {
        self.change("revoke", id, KeyState::Revoked)
    }

    fn destroy(&self, id: KeyId) -> Result<(), ServerError> {
        self.change("destroy", id, KeyState::Destroyed)
    }

    fn list(&self) -> Result<Vec<ServerKey>, ServerError> {
        let key = |(id, key): (&KeyId, &(KeyState, [u8; 32]))| ServerKey { id: *id, state: key.0, created: None };
        self.answer("list", |state, _| Ok(state.keys.iter().map(key).collect()))
    }

    fn test(&self) -> Result<(), ServerError> {
        self.answer("test", |_, _| Ok(()))
    }
}

fn insert(state: &mut State, id: KeyId, to: KeyState, bytes: [u8; 32]) -> Result<(), ServerError> {
    if state.keys.contains_key(&id) {
        return Err(error(ErrorKind::Refused, "there is such a key"));
    }
    state.keys.insert(id, (to, bytes));
    Ok(())
}

fn error(kind: ErrorKind, message: &str) -> ServerError {
    ServerError { kind, message: message.into(), source: None }
}

/// A clock that stands until it is moved; clones are the same one.
#[derive(Clone, Default)]
pub(super) struct ModelClock(Arc<AtomicU64>);

impl ModelClock {
    pub(super) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, SeqCst);
    }
}

impl Clock for ModelClock {
    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.load(SeqCst))
    }

    fn wall(&self) -> UnixSeconds {
        UnixSeconds(1_700_000_000 + self.0.load(SeqCst))
    }

    fn random(&self) -> u16 {
        0
    }
}

/// What happens to the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StoreFault {
    Fine,
    FailsBefore,
    FailsAfter,
}

type Contents = (u64, BTreeMap<String, Entry>);

/// A store; clones are the same one.
#[derive(Clone, Default)]
pub(super) struct ModelStore(Arc<Mutex<Contents>>, Arc<Mutex<VecDeque<StoreFault>>>);

impl ModelStore {
    pub(super) fn fault(&self, faults: &[StoreFault]) {
        self.1.lock().unwrap().extend(faults);
    }

    pub(super) fn keys(&self, part: &str) -> Vec<String> {
        self.0.lock().unwrap().1.keys().filter(|key| key.contains(part)).cloned().collect()
    }
}

impl Store for ModelStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        Ok(self.0.lock().unwrap().1.get(key).cloned())
    }

    fn list(&self, prefix: &str) -> Result<Vec<(String, Entry)>, StoreError> {
        let entries = self.0.lock().unwrap().1.clone();
        Ok(entries.into_iter().filter(|(key, _)| key.starts_with(prefix)).collect())
    }

    fn commit(&self, transaction: &Transaction) -> Result<Revision, StoreError> {
        let unavailable = || StoreError::Unavailable { path: "model".into(), reason: "ordered".into() };
        let fault = self.1.lock().unwrap().pop_front().unwrap_or(StoreFault::Fine);
        if fault == StoreFault::FailsBefore {
            return Err(unavailable());
        }
        let (revision, entries) = &mut *self.0.lock().unwrap();
        for (key, &expected) in transaction.expected() {
            let found = entries.get(key).map_or(Revision::ABSENT, |entry| entry.revision);
            if found != expected {
                return Err(StoreError::Conflict { key: key.clone(), expected, found });
            }
        }
        *revision += 1;
        for (key, change) in transaction.changes() {
            match change {
                Change::Put(value) => {
                    entries.insert(key.clone(), Entry { revision: Revision(*revision), value: value.clone() });
                }
                Change::Delete => drop(entries.remove(key)),
            }
        }
        if fault == StoreFault::FailsAfter { Err(unavailable()) } else { Ok(Revision(*revision)) }
    }
}

/// Servers with the numbers 1 to `count`, and a provider over them.
pub(super) struct World {
    pub(super) servers: Vec<ModelServer>,
    pub(super) clock: ModelClock,
    pub(super) store: ModelStore,
    pub(super) provider: ExternalProvider,
}

impl World {
    pub(super) fn new(count: i64, settings: Settings) -> Self {
        let servers: Vec<ModelServer> = (1..=count).map(ModelServer::new).collect();
        let (clock, store) = (ModelClock::default(), ModelStore::default());
        let provider = provider(&servers, &store, &clock, settings);
        Self { servers, clock, store, provider }
    }

    /// Another process with the same records and servers, or this one after a restart.
    pub(super) fn another(&self, settings: Settings) -> ExternalProvider {
        provider(&self.servers, &self.store, &self.clock, settings)
    }

    /// Lets time pass in rounds of `tend`, all servers up.
    pub(super) fn settle(&self) {
        for server in &self.servers {
            server.set_down(None);
            server.state().faults.clear();
        }
        self.store.1.lock().unwrap().clear();
        for _ in 0..6 {
            self.clock.advance(300);
            self.provider.tend();
        }
    }
}

fn provider(servers: &[ModelServer], store: &ModelStore, clock: &ModelClock, settings: Settings) -> ExternalProvider {
    let servers = servers.iter().map(|server| Box::new(server.clone()) as Box<dyn KeyServer>).collect();
    ExternalProvider::new(9, Box::new(store.clone()), servers, settings, Box::new(clock.clone()))
}

pub(super) fn bytes(key: &MasterKey) -> [u8; 32] {
    *key.0.expose_secret()
}
