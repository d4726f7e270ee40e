//! The answer to a message, read operation by operation.

use crate::kmip::enums::Operation;
use crate::kmip::error::KmipError;
use crate::kmip::fields::Malformed;
use crate::kmip::message::{Response, ResponseItem};
use crate::kmip::ops::Request;
use crate::kmip::version::ProtocolVersion;

/// What a server answered to one message. It may hold keys, and wipes them.
pub struct Reply {
    server: String,
    response: Option<Response>,
}

impl Reply {
    pub(super) fn new(server: &str, response: Response) -> Self {
        Self { server: server.into(), response: Some(response) }
    }

    /// The answer to a message that asked for nothing.
    pub(super) fn empty(server: &str) -> Self {
        Self { server: server.into(), response: None }
    }

    /// The version in which the server answered.
    pub(super) fn version(&self) -> ProtocolVersion {
        self.response.as_ref().map_or(ProtocolVersion::V1_0, |response| response.version)
    }

    /// The answer to the item at `place` of the batch, which must have asked for `R`.
    ///
    /// # Errors
    /// When the server refused it or the message as a whole, or the answer is missing or is one to something else.
    pub fn read<R: Request>(&self, place: usize) -> Result<R::Response, KmipError> {
        let malformed = |error| KmipError::malformed(&self.server, R::OPERATION, error);
        let items = self.response.as_ref().map_or(Ok(Vec::new()), Response::items).map_err(malformed)?;
        let item = pick(&items, place).ok_or_else(|| malformed(missing(place, items.len())))?;
        let payload = match &item.outcome {
            Ok(payload) => *payload,
            Err(failure) => {
                let failure = failure.clone();
                return Err(KmipError::refused(&self.server, R::OPERATION, R::NAMES_OBJECT, failure));
            }
        };
        is_answer_to(R::OPERATION, item).map_err(malformed)?;
        R::read(payload).map_err(malformed)
    }
}

/// The item with the id of `place`; without ids, the one that stands there; a single refusal stands for all.
fn pick<'a, 'b>(items: &'a [ResponseItem<'b>], place: usize) -> Option<&'a ResponseItem<'b>> {
    let id = u32::try_from(place).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(item) = items.iter().find(|item| item.id == Some(id.as_slice())) {
        return Some(item);
    }
    match items {
        [only] if only.outcome.is_err() && only.id.is_none() => Some(only),
        // An answer to a single question cannot be mixed up, whatever id it carries.
        items => items.get(place).filter(|item| item.id.is_none() || items.len() == 1),
    }
}

/// Some servers leave the operation out; none may name another one.
fn is_answer_to(operation: Operation, item: &ResponseItem<'_>) -> Result<(), Malformed> {
    match item.operation {
        Some(other) if other != operation => Err(Malformed::Unexpected(format!("it answers {other}"))),
        _ => Ok(()),
    }
}

fn missing(place: usize, count: usize) -> Malformed {
    Malformed::Unexpected(format!("it has {count} items, and none for number {place} of the batch"))
}
