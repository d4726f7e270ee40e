//! The external provider: master keys on key servers, several of them in order.
//!
//! ```text
//!              ┌ read      memory → healthy servers in order → the others, those that hang last; several at a time when
//!              │           one takes long                                        "absent" only if every server says so
//! KeyProvider ─┤ create    intent → one server → read back → copies → known      a lost reply: look before trying again
//!              └ list      the records
//! add_server     compare everything, then copy both ways                         a conflict changes nothing
//! tend           health checks, grace period, missing copies, failed keys        every few seconds
//! revoke, destroy  on every server, each answer told; agree_on: does every server have it?
//! ```
//! What a key server speaks is behind the trait [`KeyServer`]. Behaviour for people: `docs/keys.md`.

mod answers;
mod cache;
mod clock;
mod copy;
mod create;
mod health;
mod member;
#[cfg(test)]
mod model;
#[cfg(test)]
mod property_tests;
mod questions;
mod read;
mod records;
mod retire;
mod server;
mod settings;
mod sync;
mod tend;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keywrap::keys::{KeyId, MasterKey};
use uuid::Uuid;

pub use cache::CachePolicy;
pub use clock::{Clock, SystemClock};
pub use health::{Failure, Health};
pub use server::{KeyServer, KeyState, ServerError, ServerKey};
pub use settings::Settings;
pub use sync::{MAX_KEYS, SyncError, SyncReport};
pub use tend::Tended;

use super::{EndAnswer, KeyInfo, KeyProvider, ProviderError};
use crate::store::Store;
use cache::Cache;
use member::Member;
use questions::Bell;
use records::Records;

/// The servers of a provider at one moment.
type Members = Vec<Arc<Member>>;

/// A key provider over an ordered list of key servers.
pub struct ExternalProvider {
    name: String,
    settings: Settings,
    records: Records,
    clock: Arc<dyn Clock>,
    members: Mutex<Members>,
    cache: Mutex<Cache>,
    /// Whoever changes keys on servers holds this: one at a time.
    writing: Mutex<()>,
    /// Rings when a server has answered.
    bell: Arc<Bell>,
    /// When missing copies and failed keys are looked for again.
    next_repairs: Mutex<Duration>,
    /// When this process began to make keys; an earlier one had begun before [`Self::since`].
    begun: Mutex<BTreeMap<KeyId, Duration>>,
    since: Duration,
}

impl ExternalProvider {
    /// The provider with this number, its records in `store`, over servers that were synchronised before
    /// ([`Self::add_server`]). No server is asked anything yet.
    #[must_use]
    pub fn new(
        id: i64,
        store: Box<dyn Store>,
        servers: Vec<Box<dyn KeyServer>>,
        settings: Settings,
        clock: Box<dyn Clock>,
    ) -> Self {
        let cache = Mutex::new(Cache::new(settings.cache, clock.elapsed()));
        let members = Mutex::new(servers.into_iter().map(|server| Arc::new(Member::new(server))).collect());
        let (name, records) = (format!("external {id}"), Records::new(store, id));
        let (writing, bell, next_repairs) = (Mutex::new(()), Arc::default(), Mutex::default());
        let (begun, since, clock) = (Mutex::default(), clock.elapsed(), Arc::from(clock));
        Self { name, settings, records, clock, members, cache, writing, bell, next_repairs, begun, since }
    }

    /// Makes a key that the provider has the one that new volumes use: the end of a rekey.
    ///
    /// # Errors
    /// `Absent` when no server has it.
    pub fn set_current(&self, id: KeyId) -> Result<(), ProviderError> {
        self.fetch(id)?;
        self.records.set_current(id).map_err(|error| self.record_failed(error))
    }

    /// Takes a server out of the list, if it is there. Its keys stay on it. Whether it may go is the caller's decision.
    pub fn remove_server(&self, id: i64) {
        let _one_at_a_time = self.writing();
        let mut members = self.members();
        members.retain(|member| member.id() != id);
        self.set_members(members);
    }

    /// Puts a server in the place of the one with the same number: it is reached in another way now. It is looked over
    /// by the next [`Self::tend`]. A number that is not in the list changes nothing.
    pub fn replace_server(&self, server: Box<dyn KeyServer>) {
        let _one_at_a_time = self.writing();
        let new = Arc::new(Member::new(server));
        let mut members = self.members();
        members.iter_mut().filter(|member| member.id() == new.id()).for_each(|member| *member = Arc::clone(&new));
        self.set_members(members);
    }

    /// Treats keys in memory differently from now on.
    pub fn set_cache_policy(&self, policy: CachePolicy) {
        self.cache().set_policy(policy);
    }

    /// Number and health of every server, in the order of the list.
    #[must_use]
    pub fn health(&self) -> Vec<(i64, Health)> {
        self.members().iter().map(|member| (member.id(), member.health())).collect()
    }

    /// Asks every server whether it works.
    ///
    /// # Errors
    /// When any does not; the error names each.
    pub fn test(&self) -> Result<(), ProviderError> {
        let (members, mut answers) = (self.members(), answers::Answers::default());
        let checks = member::each_at_once(&members, |member| member.check(self.clock.as_ref()));
        for (member, check) in members.iter().zip(checks) {
            if let Err(error) = check {
                answers.add(member.label(), error);
            }
        }
        if answers.is_empty() && !members.is_empty() {
            return Ok(());
        }
        Err(answers.into_error(&self.name, None, "not every key server works"))
    }

    fn current_id(&self) -> Result<Option<KeyId>, ProviderError> {
        self.records.current().map_err(|error| self.record_failed(error))
    }

    fn members(&self) -> Members {
        lock(&self.members).clone()
    }

    fn set_members(&self, members: Members) {
        *lock(&self.members) = members;
    }

    /// The servers in the order in which to ask them: those that answered last time, then those that did not, then those
    /// that are taking long to answer now.
    fn in_order(&self) -> Members {
        let (hung, others): (Members, Members) = self.members().into_iter().partition(|member| member.is_hung());
        let (up, down): (Members, Members) = others.into_iter().partition(|member| member.health().is_up());
        [up, down, hung].concat()
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        lock(&self.cache)
    }

    /// The cache after wiping what is over its time, and whether anything was.
    fn expired_cache(&self) -> (MutexGuard<'_, Cache>, bool) {
        let answers = self.members().iter().filter_map(|member| member.health().last_answer).max();
        let mut cache = self.cache();
        cache.answered(answers.unwrap_or_default());
        let was_wiped = cache.expire(self.clock.elapsed());
        (cache, was_wiped)
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        lock(&self.writing)
    }
}

impl KeyProvider for ExternalProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn create_key_for(&self, order: Uuid) -> Result<KeyId, ProviderError> {
        let _one_at_a_time = self.writing();
        match self.list()?.iter().find(|known| known.order == Some(order)) {
            Some(known) => Ok(known.id),
            None => self.make(Some(order), false).map(|(id, _)| id),
        }
    }

    fn key(&self, id: KeyId) -> Result<MasterKey, ProviderError> {
        self.fetch(id)
    }

    fn key_within(&self, id: KeyId, patience: Duration) -> Result<MasterKey, ProviderError> {
        self.fetch_within(id, patience)
    }

    fn current_key(&self) -> Result<(KeyId, MasterKey), ProviderError> {
        match self.current_id()? {
            Some(id) => Ok((id, self.fetch(id)?)),
            None => self.make_current(),
        }
    }

    fn list(&self) -> Result<Vec<KeyInfo>, ProviderError> {
        self.records.keys().map_err(|error| self.record_failed(error))
    }

    fn agree_on(&self, id: KeyId) -> Result<Vec<String>, ProviderError> {
        self.ask_everywhere(id)
    }

    fn revoke(&self, id: KeyId) -> Result<Vec<EndAnswer>, ProviderError> {
        self.revoke_everywhere(id)
    }

    fn destroy(&self, id: KeyId) -> Result<Vec<EndAnswer>, ProviderError> {
        self.destroy_everywhere(id)
    }
}

/// What these locks guard is whole between any two statements, so another thread's panic changes nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
