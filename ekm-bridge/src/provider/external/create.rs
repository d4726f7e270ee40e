//! Making a new master key.
//!
//! ```text
//! intent durable ─▶ create on the first server that can ─▶ read back ─▶ copy to the others, read back ─▶ known
//!       │                 │ no: next server, another id                        │ too few, or other bytes
//!       └─────────────────┴────────────── the intent stays, and `tend` clears away what was made ◀──┘
//! ```
//! Another server gets another id: should the first one have made its key after all, two different keys of one name
//! would be the result.

use keywrap::keys::{KeyId, MasterKey};
use uuid::Uuid;

use super::answers::Answers;
use super::copy;
use super::member::Member;
use super::records::{Held, RecordError};
use super::{ExternalProvider, Members, lock};
use crate::provider::{ErrorKind, ProviderError};
use crate::store::StoreError;

impl ExternalProvider {
    /// Makes the first key and declares it current; somebody else's if they were faster. What was made in vain then is
    /// cleared away by [`ExternalProvider::tend`].
    pub(super) fn make_current(&self) -> Result<(KeyId, MasterKey), ProviderError> {
        let _one_at_a_time = self.writing();
        let made = if self.current_id()?.is_none() { Some(self.make(None, true)) } else { None };
        match (made, self.current_id()?) {
            (Some(Ok(made)), _) => Ok(made),
            (_, Some(id)) => Ok((id, self.fetch(id)?)),
            (Some(Err(error)), None) => Err(error),
            (None, None) => Err(Answers::default().into_error(&self.name, None, "the current key was taken away")),
        }
    }

    /// Makes a key that becomes known; as the current one if asked, which fails when there is one. The caller holds the
    /// lock of those who write.
    pub(super) fn make(&self, order: Option<Uuid>, as_current: bool) -> Result<(KeyId, MasterKey), ProviderError> {
        let members = self.in_order();
        let (held, key, maker) = self.make_on_first(&members, order)?;
        self.spread(&members, &held, &key, maker)?;
        self.records.adopt(&held, &key, as_current).map_err(|error| self.record_failed(error))?;
        lock(&self.begun).remove(&held.id);
        self.remember(held.id, &key);
        Ok((held.id, key))
    }

    /// Makes a key on the first server that can. What the others answered is told only if none can.
    fn make_on_first(&self, members: &Members, order: Option<Uuid>) -> Result<(Held, MasterKey, i64), ProviderError> {
        let mut answers = Answers::default();
        for member in members {
            let id = KeyId::random();
            lock(&self.begun).insert(id, self.clock.elapsed());
            let intent = self.records.intend(id, self.clock.wall(), order);
            let held = intent.map_err(|error| self.record_failed(error))?;
            match copy::create(member, self.clock.as_ref(), held.id) {
                Ok(key) => return Ok((held, key, member.id())),
                Err(error) => answers.add(member.label(), error),
            }
        }
        let mut error = answers.into_error(&self.name, None, "no key server makes a new master key");
        if error.kind == ErrorKind::Absent {
            // A server that lost the key it has just made.
            error.kind = ErrorKind::Refused;
        }
        Err(error)
    }

    /// Copies a new key to the other servers. Enough of them must have it, and none may have another.
    fn spread(&self, members: &Members, held: &Held, key: &MasterKey, maker: i64) -> Result<(), ProviderError> {
        let (mut copies, mut answers) = (1, Answers::default());
        for member in members.iter().filter(|member| member.id() != maker) {
            match copy::ensure(member, self.clock.as_ref(), held.id, key) {
                Ok(()) => copies += 1,
                Err(error) => self.note_missing(member, error, &mut answers),
            }
        }
        // A server that is away gets its copy later; one that has other bytes or takes no keys never will.
        let is_hopeless = answers.has(ErrorKind::Refused) || answers.has(ErrorKind::Absent);
        if copies >= self.settings.copies.min(members.len()) && !is_hopeless {
            return Ok(());
        }
        let failed = format!("the new master key is on {copies} of {} key servers and is not used", members.len());
        Err(answers.into_error(&self.name, Some(held.id), &failed))
    }

    fn note_missing(&self, member: &Member, error: super::ServerError, answers: &mut Answers) {
        member.set_owed(true);
        answers.add(member.label(), error);
    }

    /// What a failure of the store means to a caller of the provider.
    pub(super) fn record_failed(&self, error: RecordError) -> ProviderError {
        let kind = match &error {
            RecordError::Store(StoreError::Unavailable { .. } | StoreError::Conflict { .. } | StoreError::State(_)) => {
                ErrorKind::Unreachable
            }
            _ => ErrorKind::Refused,
        };
        let message = error.to_string();
        ProviderError { kind, provider: self.name.clone(), key_id: None, message, source: Some(Box::new(error)) }
    }
}
