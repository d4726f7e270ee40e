//! Who called what, told to the audit log and the metrics.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Map, Value};

use super::auth::Role;
use super::error::{ApiError, ErrorName};
use super::methods::Method;

/// Characters of a text that are recorded; enough to tell certificates apart from nothing.
const MAX_CHARS: usize = 128;
const REDACTED: &str = "(redacted)";
const UNKNOWN: &str = "(unknown parameter, value not recorded)";

/// Parameters whose values are secrets, in lower case.
const SECRET: [&str; 2] = ["password", "passphrase"];

/// One call that was answered, successfully or not.
#[derive(Debug)]
pub struct CallRecord<'a> {
    /// Who called; `None` before there were accounts.
    pub user: Option<&'a str>,
    /// Their role.
    pub role: Option<Role>,
    /// From where.
    pub source: SocketAddr,
    /// The method as documented, or as the client wrote it when there is none; empty for what was no request.
    pub method: &'a str,
    /// The parameters without secrets, texts cut short.
    pub params: Map<String, Value>,
    /// The name of the error, if it failed.
    pub outcome: Result<(), ErrorName>,
    /// From the whole request to the whole reply.
    pub duration: Duration,
}

/// Somebody who was not let in.
#[derive(Debug)]
pub struct RefusalRecord<'a> {
    /// The user name that was given; chosen by the client.
    pub user: Option<&'a str>,
    /// From where.
    pub source: SocketAddr,
    /// Why nobody could be let in; `None` when the credentials were missing or wrong.
    pub failure: Option<&'a ApiError>,
}

/// Is told of every call, on the thread that ran it, before the reply is sent. Must not block for long.
pub trait Observer: Send + Sync {
    /// Is asked before a call that may change something is carried out.
    ///
    /// # Errors
    /// What its caller is answered in the place of carrying it out.
    fn admits(&self, method: &Method) -> Result<(), ApiError> {
        let _every_one = method;
        Ok(())
    }

    /// A call was answered.
    fn called(&self, record: &CallRecord<'_>);

    /// A request had no caller.
    fn refused(&self, record: &RefusalRecord<'_>);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn called(&self, _record: &CallRecord<'_>) {}

    fn refused(&self, _record: &RefusalRecord<'_>) {}
}

/// The parameters as they may be recorded. Only values of parameters that the method knows are: what a client sends
/// by mistake may be anything.
pub(super) fn redact(method: Option<&Method>, params: &Map<String, Value>) -> Map<String, Value> {
    let known = method.map_or(&[][..], |method| (method.parameters)());
    let redacted = params.iter().map(|(name, value)| (shorten(name), redact_value(known, name, value)));
    redacted.collect()
}

fn redact_value(known: &[&str], name: &str, value: &Value) -> Value {
    if !known.contains(&name) {
        return UNKNOWN.into();
    }
    if SECRET.contains(&name.to_ascii_lowercase().as_str()) {
        return REDACTED.into();
    }
    cut(value)
}

/// The value with its texts cut, private keys left out.
fn cut(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains("PRIVATE KEY") => REDACTED.into(),
        Value::String(text) => shorten(text).into(),
        Value::Array(items) => items.iter().map(cut).collect(),
        Value::Object(members) => members.iter().map(|(name, member)| (shorten(name), cut(member))).collect(),
        other => other.clone(),
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rpc::methods::all;

    fn redacted(method: &str, params: &Value) -> Value {
        let method = all().find(|row| row.name == method);
        Value::Object(redact(method, params.as_object().unwrap()))
    }

    #[test]
    fn no_password_is_recorded_however_it_is_sent() {
        let params =
            json!({"username": "admin", "password": "correct horse", "Password": "correct horse", "nodes": ["a"]});
        let expected = json!({"username": "admin", "password": REDACTED, "Password": UNKNOWN, "nodes": ["a"]});
        assert_eq!(redacted("CreateCluster", &params), expected);
    }

    #[test]
    fn of_an_unknown_method_only_names_are_recorded() {
        assert_eq!(redacted("NoSuchMethod", &json!({"secret": "x"})), json!({"secret": UNKNOWN}));
    }

    #[test]
    fn private_keys_are_left_out_and_long_texts_are_cut() {
        let params = json!({"keyServerID": 1, "kmipClientCertificate": "-----BEGIN PRIVATE KEY-----", "kmipCaCertificate": "é".repeat(200)});
        let expected =
            json!({"keyServerID": 1, "kmipClientCertificate": REDACTED, "kmipCaCertificate": "é".repeat(128) + "…"});
        assert_eq!(redacted("ModifyKeyServerKmip", &params), expected);
    }

    #[test]
    fn every_parameter_that_sounds_like_a_secret_is_redacted() {
        for name in all().flat_map(|method| (method.parameters)()) {
            let lower = name.to_ascii_lowercase();
            let sounds_secret =
                ["password", "secret", "passphrase", "token", "privatekey"].iter().any(|word| lower.contains(word));
            assert_eq!(sounds_secret, SECRET.contains(&lower.as_str()), "{name}");
        }
    }
}
