//! A key manager in memory, for tests: it decodes real messages and has the quirks that real servers have.

mod operations;

use zeroize::Zeroizing;

use super::attributes::Attribute;
use super::client::Exchange;
use super::enums::{Operation, ResultReason, ResultStatus, State};
use super::error::{ErrorKind, ExchangeError};
use super::fields::Fields;
use super::ops::Repeat;
use super::tag::Tag;
use super::ttlv::{Item, Limits, decode, encode};
use super::version::ProtocolVersion;

/// Why the fake refuses, and in which words.
pub(super) type Refusal = (ResultReason, &'static str);

/// One object.
pub(super) struct Object {
    pub(super) id: String,
    pub(super) state: State,
    pub(super) attributes: Vec<Attribute>,
    pub(super) key: Vec<u8>,
}

/// The server. Every field is a switch for a test.
pub(super) struct Fake {
    pub(super) versions: Vec<ProtocolVersion>,
    pub(super) has_discover: bool,
    /// Closes the connection at a message of a version that it does not speak, instead of refusing it.
    pub(super) cuts_wrong_versions: bool,
    pub(super) takes_custom: bool,
    /// Returns every object to a search by a custom attribute.
    pub(super) ignores_custom_search: bool,
    pub(super) keeps_destroyed: bool,
    /// Says yes to Activate and leaves the key as it is.
    pub(super) ignores_activate: bool,
    /// Answers for attributes only by name.
    pub(super) wants_names: bool,
    /// The next request for this operation is carried out, and the answer lost.
    pub(super) lose_reply: Option<Operation>,
    /// The next request for this operation is lost on its way.
    pub(super) lose_request: Option<Operation>,
    /// Every request for this operation is refused.
    pub(super) refuse: Option<(Operation, Refusal)>,
    /// Every request is answered with these bytes.
    pub(super) answer: Option<Vec<u8>>,
    pub(super) objects: Vec<Object>,
    /// The operations that were asked for, with the version of the message.
    pub(super) log: Vec<(Operation, ProtocolVersion)>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            versions: vec![ProtocolVersion::V1_4],
            has_discover: true,
            cuts_wrong_versions: false,
            takes_custom: true,
            ignores_custom_search: false,
            keeps_destroyed: false,
            ignores_activate: false,
            wants_names: false,
            lose_reply: None,
            lose_request: None,
            refuse: None,
            answer: None,
            objects: Vec::new(),
            log: Vec::new(),
        }
    }
}

impl Fake {
    pub(super) fn speaking(versions: &[ProtocolVersion]) -> Self {
        Self { versions: versions.into(), ..Self::default() }
    }

    /// How often an operation was asked for.
    pub(super) fn count(&self, operation: Operation) -> usize {
        self.log.iter().filter(|entry| entry.0 == operation).count()
    }

    fn answer(&mut self, version: ProtocolVersion, request: &Item) -> Result<Item, ExchangeError> {
        let mut message = vec![header(version)];
        if !self.versions.contains(&version) {
            if self.cuts_wrong_versions {
                return Err(lost(ErrorKind::Unreachable));
            }
            let speaks = self.versions.iter().copied().max().unwrap();
            let refusal = (ResultReason::INVALID_MESSAGE, "KMIP version not supported");
            return Ok(Item::structure(
                Tag::RESPONSE_MESSAGE,
                vec![header(speaks), batch_item(None, None, Err(refusal))],
            ));
        }
        for item in Fields::of(request).all(Tag::BATCH_ITEM) {
            let fields = Fields::of(item);
            let operation: Operation = fields.enumeration(Tag::OPERATION).unwrap();
            self.log.push((operation, version));
            if self.lose_request.take_if(|lost| *lost == operation).is_some() {
                return Err(lost(ErrorKind::ReplyLost));
            }
            let outcome = match self.refuse {
                Some((refused, refusal)) if refused == operation => Err(refusal),
                _ => self.carry_out(operation, version, fields.structure(Tag::REQUEST_PAYLOAD).unwrap()),
            };
            if self.lose_reply.take_if(|lost| *lost == operation).is_some() {
                return Err(lost(ErrorKind::ReplyLost));
            }
            let is_failure = outcome.is_err();
            message.push(batch_item(Some(operation), fields.bytes(Tag::UNIQUE_BATCH_ITEM_ID).ok(), outcome));
            if is_failure {
                break;
            }
        }
        Ok(Item::structure(Tag::RESPONSE_MESSAGE, message))
    }
}

impl Exchange for Fake {
    fn server(&self) -> &str {
        "fake"
    }

    fn exchange(&mut self, request: &[u8], _: Repeat) -> Result<Zeroizing<Vec<u8>>, ExchangeError> {
        if let Some(bytes) = &self.answer {
            return Ok(Zeroizing::new(bytes.clone()));
        }
        let request = decode(request, &Limits::STANDARD).unwrap();
        let header = Fields::of(&request).structure(Tag::REQUEST_HEADER).unwrap();
        let count = usize::try_from(header.integer(Tag::BATCH_COUNT).unwrap()).unwrap();
        assert_eq!(count, Fields::of(&request).all(Tag::BATCH_ITEM).count(), "the header counts the items");
        let version = ProtocolVersion::from_item(header.require(Tag::PROTOCOL_VERSION).unwrap()).unwrap();
        self.answer(version, &request).map(|answer| encode(&answer))
    }
}

fn lost(kind: ErrorKind) -> ExchangeError {
    ExchangeError { kind, was_cut: true, message: "the connection was closed".into(), source: None }
}

fn header(version: ProtocolVersion) -> Item {
    let fields = vec![version.to_item(), Item::integer(Tag::BATCH_COUNT, 1)];
    Item::structure(Tag::RESPONSE_HEADER, fields)
}

fn batch_item(operation: Option<Operation>, id: Option<&[u8]>, outcome: Result<Vec<Item>, Refusal>) -> Item {
    let mut fields = Vec::new();
    fields.extend(operation.map(|operation| Item::enumeration(Tag::OPERATION, operation)));
    fields.extend(id.map(|id| Item::bytes(Tag::UNIQUE_BATCH_ITEM_ID, id)));
    match outcome {
        Ok(payload) => {
            fields.push(Item::enumeration(Tag::RESULT_STATUS, ResultStatus::SUCCESS));
            fields.push(Item::structure(Tag::RESPONSE_PAYLOAD, payload));
        }
        Err((reason, message)) => {
            fields.push(Item::enumeration(Tag::RESULT_STATUS, ResultStatus::OPERATION_FAILED));
            fields.push(Item::enumeration(Tag::RESULT_REASON, reason));
            fields.push(Item::text(Tag::RESULT_MESSAGE, message));
        }
    }
    Item::structure(Tag::BATCH_ITEM, fields)
}
