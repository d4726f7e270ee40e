//! What of a request's parameters may be written down: everything but secrets, and nothing endless.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What stands in the place of a secret.
const REDACTED: &str = "(redacted)";

/// The longest text that is written in full, in bytes. Certificates are longer and are public: their hash is written.
const MAX_TEXT: usize = 1024;

/// The deepest nesting that is followed.
const MAX_DEPTH: usize = 16;

/// Parts of parameter names, in lower case, whose values are secret wherever they occur: `password`,
/// `clusterPassword`, `initiatorSecret`, `targetSecret`, `privateKey`, …
const SECRET: [&str; 8] =
    ["password", "passwd", "secret", "passphrase", "privatekey", "token", "credential", "keymaterial"];

/// Whether the value of a parameter of this name is never written.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part))
}

/// The parameters as they are written in the log.
#[must_use]
pub fn redact(parameters: &Value) -> Value {
    redact_at(parameters, MAX_DEPTH)
}

fn redact_at(value: &Value, depth: usize) -> Value {
    match value {
        Value::Object(_) | Value::Array(_) if depth == 0 => Value::from("(nested too deeply)"),
        Value::Object(members) => {
            members.iter().map(|member| redact_member(member, depth - 1)).collect::<Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(|item| redact_at(item, depth - 1)).collect(),
        Value::String(text) => redact_text(text).into(),
        scalar => scalar.clone(),
    }
}

fn redact_member((name, value): (&String, &Value), depth: usize) -> (String, Value) {
    let value = if is_secret_name(name) && !value.is_null() { REDACTED.into() } else { redact_at(value, depth) };
    (redact_text(name), value)
}

/// A private key in a text is not written either, whatever the parameter is called.
fn redact_text(text: &str) -> String {
    if text.contains("PRIVATE KEY-----") {
        return REDACTED.to_owned();
    }
    if text.len() > MAX_TEXT { summary(text) } else { text.to_owned() }
}

/// Stands for bytes that are too long to write: `(1834 bytes, SHA-256 …)`.
pub(super) fn summary(text: &str) -> String {
    let hash: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("({} bytes, SHA-256 {hash})", text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_found_by_name_at_every_depth_and_in_every_spelling() {
        let parameters = json!({
            "username": "admin", "password": "p1", "clusterPassword": "p2",
            "accounts": [{"initiatorSecret": "p3", "targetSecret": {"secret": "p4"}, "target_secret": "p5"}],
            "PRIVATE_KEY": ["p6"], "kmipClientCertificate": "public", "keyServerID": 3
        });
        let written = redact(&parameters);
        let text = written.to_string();
        for secret in ["p1", "p2", "p3", "p4", "p5", "p6"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(written["kmipClientCertificate"], "public");
        assert_eq!(written["username"], "admin");
        assert_eq!(written["keyServerID"], 3);
        assert_eq!(written["accounts"][0]["initiatorSecret"], REDACTED);
    }

    #[test]
    fn names_that_only_look_alike_are_kept() {
        for name in ["keyID", "keyProviderID", "kmipCaCertificate", "kmipKeyServerName", "keepResult", "name"] {
            assert!(!is_secret_name(name), "{name}");
        }
        assert_eq!(redact(&json!({"password": null}))["password"], Value::Null, "that none was given is no secret");
    }

    #[test]
    fn a_private_key_is_not_written_under_any_name() {
        let pasted = "-----BEGIN CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\nAAAA";
        assert_eq!(redact(&json!({"kmipClientCertificate": pasted}))["kmipClientCertificate"], REDACTED);
    }

    #[test]
    fn long_texts_and_deep_nests_are_shortened() {
        let written = redact(&json!({"pem": "x".repeat(MAX_TEXT + 1)}));
        let text = written["pem"].as_str().unwrap();
        assert!(text.starts_with("(1025 bytes, SHA-256 ") && text.len() < 120, "{text}");
        let deep = (0..100).fold(json!("bottom"), |inner, _| json!([inner]));
        assert!(redact(&deep).to_string().contains("(nested too deeply)"));
    }
}
