//! Synchronising: before a server joins a provider, it and the others must hold the same keys.
//!
//! Everything is read and compared before anything is written, so a conflict changes nothing.

use std::collections::BTreeMap;

use keywrap::keys::{KeyId, MasterKey};

use super::answers::Answers;
use super::copy;
use super::member::Member;
use super::server::{KeyServer, KeyState, ServerError};
use super::{ExternalProvider, Members};
use crate::provider::ProviderError;

/// The most keys that are synchronised. A cluster has a handful.
pub const MAX_KEYS: usize = 4096;

/// Why a server did not join.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// Two servers hold different keys under one id. Nothing was changed.
    #[error(
        "key {id} has other bytes on {first} than on {second}; nothing was changed. The server may belong to another \
         cluster: clear it, or leave it out"
    )]
    Conflict {
        /// The id.
        id: KeyId,
        /// A server with some bytes.
        first: String,
        /// A server with others.
        second: String,
    },
    /// More keys than any cluster has.
    #[error("{0} keys are more than {MAX_KEYS}; is this the right key server?")]
    TooMany(usize),
    /// The server is in the list already.
    #[error("the key server with ID {0} belongs to this provider already")]
    Member(i64),
    /// A server failed. Copies that were made are right and harmless; repeat it.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

/// What joining changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Keys that all servers hold now.
    pub keys: usize,
    /// Copies that were made, on the new server and on the others.
    pub copies: usize,
    /// Keys on record that no server holds and that are not in memory either: what depends on them is lost unless a
    /// server that has them joins.
    pub missing: Vec<KeyId>,
}

/// One key of the union: its bytes, and the servers that have it, by position.
struct Shared {
    key: MasterKey,
    holders: Vec<usize>,
}

impl ExternalProvider {
    /// Copies all keys both ways between this server and those of the provider, and then makes it the last of the list.
    /// All servers have to answer.
    ///
    /// # Errors
    /// On a conflict nothing was changed; otherwise repeat it later.
    pub fn add_server(&self, server: Box<dyn KeyServer>) -> Result<SyncReport, SyncError> {
        let _one_at_a_time = self.writing();
        let id = server.id();
        let mut members = self.members();
        if members.iter().any(|member| member.id() == id) {
            return Err(SyncError::Member(id));
        }
        members.push(Member::new(server).into());
        let report = self.synchronise(&members)?;
        if let Some(new) = members.last() {
            self.clear_destroyed(new)?;
        }
        self.set_members(members);
        Ok(report)
    }

    /// Makes all servers hold the union of their keys.
    fn synchronise(&self, members: &Members) -> Result<SyncReport, SyncError> {
        let mut shared = self.union(members)?;
        let missing = self.add_from_memory(&mut shared)?;
        let mut report = SyncReport { keys: shared.len(), copies: 0, missing };
        for (id, Shared { key, holders }) in &shared {
            for (position, member) in members.iter().enumerate() {
                let is_holder = holders.contains(&position);
                let done = if is_holder {
                    copy::wake(member, self.clock.as_ref(), *id)
                } else {
                    copy::ensure(member, self.clock.as_ref(), *id, key)
                };
                done.map_err(|error| self.sync_failed(member, *id, error))?;
                report.copies += usize::from(!is_holder);
            }
            let learnt = self.records.learn(*id, key, self.clock.wall());
            learnt.map_err(|error| self.record_failed(error))?;
        }
        members.iter().for_each(|member| member.set_owed(false));
        Ok(report)
    }

    /// Adds keys on record that no server holds any more. Returns those that are not in memory either.
    fn add_from_memory(&self, shared: &mut BTreeMap<KeyId, Shared>) -> Result<Vec<KeyId>, ProviderError> {
        let mut missing = Vec::new();
        for id in self.records.wanted().map_err(|error| self.record_failed(error))? {
            match (shared.contains_key(&id), self.cached(id)) {
                (true, _) => {}
                (false, Some(key)) => drop(shared.insert(id, Shared { key, holders: Vec::new() })),
                (false, None) => missing.push(id),
            }
        }
        Ok(missing)
    }

    /// Reads every key of every server and compares.
    fn union(&self, members: &Members) -> Result<BTreeMap<KeyId, Shared>, SyncError> {
        let mut shared: BTreeMap<KeyId, Shared> = BTreeMap::new();
        for (position, member) in members.iter().enumerate() {
            for id in self.keys_on(member, KeyState::is_alive)? {
                let read = member.ask(self.clock.as_ref(), |server| server.key(id));
                let key = read.map_err(|error| self.sync_failed(member, id, error))?;
                let known =
                    shared.entry(id).or_insert_with(|| Shared { key: super::cache::copy(&key), holders: vec![] });
                if !copy::is_same(&known.key, &key) {
                    let first = known.holders.first().and_then(|first| members.get(*first));
                    let first = first.map_or_else(String::new, |first| first.label());
                    return Err(SyncError::Conflict { id, first, second: member.label() });
                }
                known.holders.push(position);
            }
            if shared.len() > MAX_KEYS {
                return Err(SyncError::TooMany(shared.len()));
            }
        }
        Ok(shared)
    }

    /// The keys of one server whose state is `wanted`, without those that are being made, cleared away or retired.
    pub(super) fn keys_on(
        &self,
        member: &Member,
        wanted: impl Fn(KeyState) -> bool,
    ) -> Result<Vec<KeyId>, ProviderError> {
        let intents = self.records.intents().map_err(|error| self.record_failed(error))?;
        let listed = member.ask(self.clock.as_ref(), |server| server.list());
        let listed = listed.map_err(|error| self.one_failed(member, None, error, "its keys cannot be listed"))?;
        let mut ids = Vec::new();
        for key in listed.into_iter().filter(|key| wanted(key.state)) {
            let record = self.records.key(key.id).map_err(|error| self.record_failed(error))?;
            let is_going = record.is_some_and(|record| record.retired) || intents.iter().any(|held| held.id == key.id);
            ids.extend((!is_going).then_some(key.id));
        }
        Ok(ids)
    }

    fn sync_failed(&self, member: &Member, id: KeyId, error: ServerError) -> ProviderError {
        self.one_failed(member, Some(id), error, &format!("key {id} cannot be synchronised"))
    }

    /// One server's failure as the provider's.
    fn one_failed(&self, member: &Member, id: Option<KeyId>, error: ServerError, failed: &str) -> ProviderError {
        let mut answers = Answers::default();
        answers.add(member.label(), error);
        answers.into_error(&self.name, id, failed)
    }
}
