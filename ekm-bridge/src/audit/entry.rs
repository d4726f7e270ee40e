//! One entry: what the caller says happened, made safe and bounded.

use serde_json::{Value, json};

use super::canonical::canonical;
use super::redact::{redact, summary};
use crate::time::UnixSeconds;

/// The longest entry, in bytes of canonical JSON. Parameters that make it longer are replaced by their hash.
pub(super) const MAX_ENTRY_LEN: usize = 16 * 1024;

/// The longest name (user, role, source, method, error) in characters; the rest is cut off.
const MAX_NAME: usize = 256;

/// Something that somebody asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// When it was answered, by this node's clock.
    pub time: UnixSeconds,
    /// Who asked; `-` when nobody was logged in.
    pub user: String,
    /// In which role.
    pub role: String,
    /// From where: an address, or `local`.
    pub source: String,
    /// What was asked for: a method of the API or a command.
    pub method: String,
    /// With which parameters. Secrets in them are not written: see [`redact`].
    pub parameters: Value,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Success,
    /// The caller may not ask for that.
    Denied,
    /// It was not done, or not all of it; the error's stable name, without secrets.
    Failed(String),
}

impl AuditEvent {
    /// The canonical JSON of this event as entry number `sequence`.
    pub(super) fn encode(&self, sequence: u64) -> String {
        let text = canonical(&self.json(sequence, redact(&self.parameters)));
        if text.len() <= MAX_ENTRY_LEN {
            return text;
        }
        let omitted = summary(&canonical(&redact(&self.parameters)));
        canonical(&self.json(sequence, json!({ "omitted": omitted })))
    }

    fn json(&self, sequence: u64, parameters: Value) -> Value {
        json!({
            "sequence": sequence,
            "time": self.time,
            "user": short(&self.user),
            "role": short(&self.role),
            "source": short(&self.source),
            "method": short(&self.method),
            "parameters": parameters,
            "outcome": self.outcome.json(),
        })
    }
}

impl Outcome {
    fn json(&self) -> Value {
        match self {
            Self::Success => json!({"result": "success"}),
            Self::Denied => json!({"result": "denied"}),
            Self::Failed(error) => json!({"result": "failed", "error": short(error)}),
        }
    }
}

fn short(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(parameters: Value) -> AuditEvent {
        AuditEvent {
            time: UnixSeconds(1_700_000_000),
            user: "admin".into(),
            role: "administrator".into(),
            source: "192.0.2.7".into(),
            method: "CreateKeyProviderKmip".into(),
            parameters,
            outcome: Outcome::Failed("xInvalidParameter".into()),
        }
    }

    #[test]
    fn an_entry_is_one_canonical_line() {
        assert_eq!(
            event(json!({"keyProviderName": "kp", "password": "hunter2"})).encode(7),
            concat!(
                r#"{"method":"CreateKeyProviderKmip","outcome":{"error":"xInvalidParameter","result":"failed"},"#,
                r#""parameters":{"keyProviderName":"kp","password":"(redacted)"},"role":"administrator","sequence":7,"#,
                r#""source":"192.0.2.7","time":1700000000,"user":"admin"}"#
            )
        );
    }

    #[test]
    fn whatever_a_caller_sends_an_entry_stays_within_its_limit() {
        let many: Vec<String> = (0..1000).map(|n| format!("{n}{}", "x".repeat(1000))).collect();
        let mut event = event(json!({ "volumes": many }));
        for name in [&mut event.user, &mut event.role, &mut event.source, &mut event.method] {
            *name = "\u{1}".repeat(1_000_000);
        }
        let text = event.encode(u64::MAX);
        assert!(text.len() <= MAX_ENTRY_LEN, "{}", text.len());
        assert!(text.contains("omitted"), "{text}");
    }
}
