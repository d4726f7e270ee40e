//! Questions to a server that may never be answered, without waiting for it.
//!
//! ```text
//! ask ─▶ open, on a thread of its own ─▶ answered ─▶ taken, by whoever wants that key next
//! ```
//! A question is asked once however many want to know: so a server that hangs holds up one thread for each key, and none
//! of those who ask. What it answers in the end is not lost: the next who wants the key finds it.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use keywrap::keys::{KeyId, MasterKey};

use super::lock;
use super::server::ServerError;
use crate::provider::ErrorKind;

/// What came of a question for a key.
pub(super) type Answer = Result<MasterKey, ServerError>;

/// The questions to one server.
#[derive(Default)]
pub(super) struct Questions(Mutex<BTreeMap<KeyId, Question>>);

struct Question {
    since: Instant,
    answer: Option<Answer>,
}

/// Where a question is.
pub(super) enum State {
    /// Not asked, or its answer was taken.
    None,
    /// Not answered yet.
    Open,
    /// Answered; the answer is taken with this.
    Answered(Answer),
}

impl Questions {
    /// Where the question for this key is.
    pub(super) fn take(&self, id: KeyId) -> State {
        let mut questions = lock(&self.0);
        match questions.remove(&id) {
            None => State::None,
            Some(Question { answer: Some(answer), .. }) => State::Answered(answer),
            Some(open) => {
                questions.insert(id, open);
                State::Open
            }
        }
    }

    /// Asks for a key, unless that question is open already, and rings the bell when it is answered.
    pub(super) fn ask(self: &Arc<Self>, id: KeyId, bell: &Arc<Bell>, ask: impl FnOnce() -> Answer + Send + 'static) {
        if !self.open(id) {
            return;
        }
        // Whatever becomes of the thread, even if there is none: it is answered when this goes.
        let asking = Asking { questions: Arc::clone(self), bell: Arc::clone(bell), id, answer: None };
        let thread = thread::Builder::new().name("sear-key".into());
        if let Err(error) = thread.spawn(move || asking.answer_with(ask())) {
            tracing::warn!(%error, "a key server cannot be asked without a thread");
        }
    }

    fn open(&self, id: KeyId) -> bool {
        let mut questions = lock(&self.0);
        let is_new = !questions.contains_key(&id);
        if is_new {
            questions.insert(id, Question { since: Instant::now(), answer: None });
        }
        is_new
    }

    /// For how long the oldest open question has been waiting.
    pub(super) fn waiting(&self) -> Option<Duration> {
        let questions = lock(&self.0);
        let open = questions.values().filter(|question| question.answer.is_none());
        open.map(|question| question.since.elapsed()).max()
    }

    /// What is answered about this key from now on is wiped.
    pub(super) fn forget(&self, id: KeyId) {
        lock(&self.0).remove(&id);
    }
}

/// A question on its thread.
struct Asking {
    questions: Arc<Questions>,
    bell: Arc<Bell>,
    id: KeyId,
    answer: Option<Answer>,
}

impl Asking {
    fn answer_with(mut self, answer: Answer) {
        self.answer = Some(answer);
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let answer = self.answer.take().unwrap_or_else(|| Err(unanswered("the question broke off")));
        if let Some(question) = lock(&self.questions.0).get_mut(&self.id) {
            question.answer = Some(answer);
        }
        self.bell.ring();
    }
}

/// That a server has not answered.
pub(super) fn unanswered(message: impl Into<String>) -> ServerError {
    ServerError { kind: ErrorKind::Unreachable, message: message.into(), source: None }
}

/// Wakes those who wait for an answer of any server.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<u64>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *lock(&self.rung) += 1;
        self.changed.notify_all();
    }

    /// How often it has rung.
    pub(super) fn count(&self) -> u64 {
        *lock(&self.rung)
    }

    /// Waits until it rings once more than `count`, or so long.
    pub(super) fn wait(&self, count: u64, limit: Duration) {
        let waited = self.changed.wait_timeout_while(lock(&self.rung), limit, |rung| *rung == count);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}
