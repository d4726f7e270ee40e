//! Agreeing on a version, without I/O: what to ask next, given what was heard.
//!
//! ```text
//! Discover Versions, header 1.4 ─ list ──────────────────▶ the highest common version
//!        │ refused: the same in the version that the refusal is written in, then in 1.2, 1.1, 2.1, 2.0
//!        │ refused, and the operation is unknown there: no more of these
//!        ▼
//! Query, header 1.4, 1.2, 1.1, 1.0 ─ answered ───────────▶ that version
//! ```

use std::collections::VecDeque;

use crate::kmip::enums::ResultReason;
use crate::kmip::message::Failure;
use crate::kmip::version::ProtocolVersion;

/// Headers under which Discover Versions is tried: a server that knows only others refuses the whole message.
const DISCOVER: [ProtocolVersion; 5] =
    [ProtocolVersion::V1_4, ProtocolVersion::V1_2, ProtocolVersion::V1_1, ProtocolVersion::V2_1, ProtocolVersion::V2_0];

/// Versions that are tried out when a server does not tell.
const GUESS: [ProtocolVersion; 4] =
    [ProtocolVersion::V1_4, ProtocolVersion::V1_2, ProtocolVersion::V1_1, ProtocolVersion::V1_0];

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// Discover Versions.
    Discover,
    /// Query, which every version has.
    Query,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Answer {
    /// The server's versions.
    Versions(Vec<ProtocolVersion>),
    /// A Query was answered.
    Accepted,
    /// No, in a message of this version.
    Refused { speaks: ProtocolVersion, failure: Failure },
    /// The connection was closed, or the answer was no KMIP.
    Nothing,
}

/// The questions that are still to be asked.
pub(super) struct Negotiation {
    queue: VecDeque<(Probe, ProtocolVersion)>,
    asked: Vec<(Probe, ProtocolVersion)>,
    said: Option<String>,
}

impl Negotiation {
    pub(super) fn new() -> Self {
        let discover = DISCOVER.map(|version| (Probe::Discover, version));
        let guess = GUESS.map(|version| (Probe::Query, version));
        Self { queue: discover.into_iter().chain(guess).collect(), asked: Vec::new(), said: None }
    }

    /// The next question and the version of its header.
    pub(super) fn next_probe(&mut self) -> Option<(Probe, ProtocolVersion)> {
        let next = self.queue.pop_front()?;
        self.asked.push(next);
        Some(next)
    }

    /// Takes in the answer to a question in `version`; some version ends the negotiation.
    pub(super) fn hear(&mut self, version: ProtocolVersion, answer: Answer) -> Option<ProtocolVersion> {
        match answer {
            Answer::Accepted => return Some(version),
            Answer::Versions(list) => return self.choose(&list),
            Answer::Refused { speaks, failure } => self.refused(speaks, &failure),
            Answer::Nothing => {}
        }
        None
    }

    /// The words of the last refusal.
    pub(super) fn said(&self) -> Option<String> {
        self.said.clone()
    }

    /// The highest common version. A list without one ends the questions; an empty list says nothing.
    fn choose(&mut self, list: &[ProtocolVersion]) -> Option<ProtocolVersion> {
        let best = list.iter().copied().filter(|version| version.is_known()).max();
        if best.is_none() && !list.is_empty() {
            self.said = Some(format!("it speaks {list:?}"));
            self.queue.clear();
        }
        best
    }

    fn refused(&mut self, speaks: ProtocolVersion, failure: &Failure) {
        self.said = Some(failure.to_string());
        if failure.reason == Some(ResultReason::OPERATION_NOT_SUPPORTED) {
            self.queue.retain(|(probe, _)| *probe == Probe::Query);
        }
        let probe = self.queue.front().map_or(Probe::Query, |next| next.0);
        if speaks.is_known() && !self.asked.contains(&(probe, speaks)) {
            self.queue.retain(|next| *next != (probe, speaks));
            self.queue.push_front((probe, speaks));
        }
    }
}
