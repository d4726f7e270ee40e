//! A key server in the list of a provider: every call goes through here, so that its health is known.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use keywrap::keys::KeyId;

use super::clock::Clock;
use super::health::Health;
use super::lock;
use super::questions::Questions;
use super::read::HEDGE;
use super::server::{KeyServer, ServerError};
use crate::provider::ErrorKind;

/// One server and what is known of it.
pub(super) struct Member {
    server: Box<dyn KeyServer>,
    health: Mutex<Health>,
    /// It may lack keys that others have. True at first: nobody has looked yet.
    owed: AtomicBool,
    /// It was seen to lack some.
    lacks: AtomicBool,
    /// Keys of which it holds other bytes.
    wrong: Mutex<BTreeSet<KeyId>>,
    /// What it was asked on other threads.
    pub(super) questions: Arc<Questions>,
}

impl Member {
    /// A server nobody has asked anything yet.
    pub(super) fn new(server: Box<dyn KeyServer>) -> Self {
        Self {
            server,
            health: Mutex::default(),
            owed: AtomicBool::new(true),
            lacks: AtomicBool::new(false),
            wrong: Mutex::default(),
            questions: Arc::default(),
        }
    }

    pub(super) fn id(&self) -> i64 {
        self.server.id()
    }

    /// For messages: `vault (ID 3)`.
    pub(super) fn label(&self) -> String {
        format!("{} (ID {})", self.server.name(), self.server.id())
    }

    /// Asks the server, and notes whether it answered. That a key is absent or that a request is refused is an answer.
    pub(super) fn ask<T>(
        &self,
        clock: &dyn Clock,
        question: impl FnOnce(&dyn KeyServer) -> Result<T, ServerError>,
    ) -> Result<T, ServerError> {
        let answer = question(self.server.as_ref());
        let (now, wall, random) = (clock.elapsed(), clock.wall(), clock.random());
        match &answer {
            Err(error) if is_silence(error.kind) => lock(&self.health).failed(error, now, wall, random),
            _ => lock(&self.health).succeeded(now, wall, random),
        }
        answer
    }

    /// A health check: whatever the server does but succeed is a failure.
    pub(super) fn check(&self, clock: &dyn Clock) -> Result<(), ServerError> {
        let answer = self.server.test();
        let (now, wall, random) = (clock.elapsed(), clock.wall(), clock.random());
        match &answer {
            Err(error) => lock(&self.health).failed(error, now, wall, random),
            Ok(()) => lock(&self.health).succeeded(now, wall, random),
        }
        answer
    }

    /// Notes whether the bytes that the server holds under `id` are the key's.
    pub(super) fn compared(&self, id: KeyId, is_right: bool) {
        let mut wrong = lock(&self.wrong);
        if is_right {
            wrong.remove(&id)
        } else {
            wrong.insert(id)
        };
    }

    /// A key of which the server was last seen to hold other bytes.
    pub(super) fn wrong(&self) -> Option<KeyId> {
        lock(&self.wrong).first().copied()
    }

    pub(super) fn health(&self) -> Health {
        lock(&self.health).clone()
    }

    /// For how long it has been owing an answer.
    pub(super) fn waiting(&self) -> Option<Duration> {
        self.questions.waiting()
    }

    /// Whether it takes longer to answer than a working server does.
    pub(super) fn is_hung(&self) -> bool {
        self.waiting().is_some_and(|waiting| waiting >= HEDGE)
    }

    pub(super) fn is_due(&self, now: Duration) -> bool {
        lock(&self.health).next_check <= now
    }

    pub(super) fn owes(&self) -> bool {
        self.owed.load(Relaxed)
    }

    pub(super) fn lacks(&self) -> bool {
        self.lacks.load(Relaxed)
    }

    /// Notes that it was seen to lack keys, or to have them all.
    pub(super) fn set_owed(&self, owed: bool) {
        self.owed.store(owed, Relaxed);
        self.lacks.store(owed, Relaxed);
    }
}

/// Whether such an error means that nobody who knows us answered.
pub(super) fn is_silence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unreachable | ErrorKind::NotAuthenticated)
}

/// What `ask` made of each server, in their order. All of them are asked at once, so that the slowest one is all that is
/// waited for; there are a few servers, not many.
pub(super) fn each_at_once<R: Send>(members: &[Arc<Member>], ask: impl Fn(&Member) -> R + Sync) -> Vec<R> {
    let ask = &ask;
    thread::scope(|scope| {
        let others: Vec<_> = members.iter().skip(1).map(|member| scope.spawn(move || ask(member))).collect();
        let first = members.first().map(|member| ask(member));
        let joined = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        first.into_iter().chain(joined).collect()
    })
}
