//! The envelope: bytes to a request, an outcome to bytes.
//!
//! ```text
//! {"method": "GetAPI", "id": 7, "params": {}}   →   Request
//! Ok(Reply)       →   {"id": 7, "result": {...}}                       "unusedParameters": [...] when there are some
//! Err(ApiError)   →   {"id": 7, "error": {"code": 500, "name": "x...", "message": "..."}}
//! ```
//! A reply has a `result` or an `error`, never both, not even as null: public clients take a present `error` for a
//! failure whatever its value.

use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroize;

use super::error::{ApiError, ErrorName};

/// How deep arrays and objects of a request may be nested; every parameter there is needs four at most.
pub const MAX_DEPTH: usize = 16;
/// The longest method name that is read, in bytes; it appears in error messages and logs.
pub const MAX_METHOD_LEN: usize = 128;

/// One call as the client sent it.
#[derive(Debug, PartialEq)]
pub struct Request {
    /// Echoed in the reply; any number, string or null.
    pub id: Value,
    /// As the client spelled it.
    pub method: String,
    /// By name.
    pub params: Map<String, Value>,
}

/// Parameters may be passwords. What the socket's buffers held before is out of reach from here.
impl Drop for Request {
    fn drop(&mut self) {
        for value in self.params.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

/// What a method returns.
#[derive(Debug, PartialEq)]
pub struct Reply {
    /// An object, empty when there is nothing to say.
    pub result: Value,
    /// Names of parameters that the method does not know and that were ignored.
    pub unused: Vec<String>,
}

impl Reply {
    /// Wipes the texts of the result, which may be key material.
    pub(super) fn wipe(&mut self) {
        self.result.as_object_mut().into_iter().for_each(wipe_texts);
    }
}

/// Wipes the texts among these members.
fn wipe_texts(members: &mut Map<String, Value>) {
    for value in members.values_mut() {
        if let Value::String(text) = value {
            text.zeroize();
        }
    }
}

/// A body that is not a request, with the id it had if that could be read.
#[derive(Debug)]
pub struct Malformed {
    /// The id to echo; null when there was none.
    pub id: Value,
    /// What is wrong.
    pub error: ApiError,
}

impl Request {
    /// Wipes the texts of the parameters, which may be passphrases.
    pub(super) fn wipe(&mut self) {
        wipe_texts(&mut self.params);
    }

    /// Reads the body of a request. `jsonrpc` and other members of the envelope are ignored, as Element does.
    ///
    /// # Errors
    /// When it is not JSON, a batch, nested too deep, or has no method or positional parameters.
    pub fn parse(body: &[u8]) -> Result<Self, Malformed> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| malformed(Value::Null, format!("the body is not JSON: {error}")))?;
        let Value::Object(envelope) = value else {
            return Err(malformed(Value::Null, "a request is one JSON object; batches are not supported"));
        };
        Self::open(envelope)
    }

    fn open(mut envelope: Map<String, Value>) -> Result<Self, Malformed> {
        let id = read_id(envelope.remove("id"))?;
        let method = match envelope.remove("method") {
            Some(Value::String(method)) if method.len() <= MAX_METHOD_LEN => method,
            Some(Value::String(_)) => return Err(malformed(id, "the method's name is too long")),
            _ => return Err(malformed(id, "`method` is missing or not a string")),
        };
        let params = match envelope.remove("params") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => return Err(malformed(id, "`params` is not an object; positional parameters are not supported")),
        };
        if params.values().any(|value| !is_shallow(value, MAX_DEPTH)) {
            return Err(malformed(id, "`params` is nested too deep"));
        }
        Ok(Self { id, method, params })
    }
}

fn read_id(id: Option<Value>) -> Result<Value, Malformed> {
    match id {
        None => Ok(Value::Null),
        Some(id @ (Value::Null | Value::Number(_) | Value::String(_))) => Ok(id),
        Some(_) => Err(malformed(Value::Null, "`id` is neither a number nor a string")),
    }
}

fn is_shallow(value: &Value, depth: usize) -> bool {
    let Some(below) = depth.checked_sub(1) else { return false };
    match value {
        Value::Array(items) => items.iter().all(|item| is_shallow(item, below)),
        Value::Object(members) => members.values().all(|member| is_shallow(member, below)),
        _ => true,
    }
}

fn malformed(id: Value, message: impl Into<String>) -> Malformed {
    Malformed { id, error: ApiError::new(ErrorName::InvalidRequest, message) }
}

#[derive(Serialize)]
struct Success<'a> {
    id: &'a Value,
    result: &'a Value,
    #[serde(rename = "unusedParameters", skip_serializing_if = "<[String]>::is_empty")]
    unused: &'a [String],
}

#[derive(Serialize)]
struct Failure<'a> {
    id: &'a Value,
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: u16,
    name: &'static str,
    message: &'a str,
}

/// The body of the reply to request `id`.
#[must_use]
pub fn encode(id: &Value, outcome: &Result<Reply, ApiError>) -> Vec<u8> {
    let body = match outcome {
        Ok(reply) => serde_json::to_vec(&Success { id, result: &reply.result, unused: &reply.unused }),
        Err(error) => {
            let body = ErrorBody { code: error.name.code(), name: error.name.as_str(), message: &error.message };
            serde_json::to_vec(&Failure { id, error: body })
        }
    };
    body.expect("values, strings and numbers have a JSON form")
}

#[cfg(test)]
mod tests;
